"""`wellio doctor`: well when all is well, and one line with advice for whatever is not."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.boot.conftest import Shell
from tests.core.boot.processes import serve
from wellio.config.settings import load_config
from wellio.observe.doctor import worst
from wellio.observe.examinations.examination import look
from wellio.observe.examinations.listing import at_start
from wellio.observe.examinations.settings import of_settings
from wellio.observe.findings import Finding
from wellio.testing.apps import NO_FILE
from wellio.testing.plugin import StartApp


def by_name(stdout: str) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in json.loads(stdout)["checks"]}


async def test_a_practice_that_is_well(shell: Shell, folder: Path) -> None:
    async with serve(folder) as server:
        inside = await asyncio.to_thread(shell, "doctor --json")
        await server.stop()
    outside = await asyncio.to_thread(shell, "doctor --json")
    for result in (inside, outside):
        assert result.code == 0, result.stdout
        checks = by_name(result.stdout)
        assert {name for name, it in checks.items() if it["status"] == "problem"} == set()
        assert checks["durability"]["detail"] == "journal_mode=wal, synchronous=full"
        assert checks["integrity"]["status"] == checks["foreign keys"]["status"] == "ok"
        assert checks["core: database"]["status"] == "ok"
        assert str(folder) not in result.stdout
        assert all(it["advice"] for it in checks.values() if it["status"] != "ok")


@pytest.mark.usefixtures("practice")
async def test_what_is_wrong_is_named_with_advice(shell: Shell, folder: Path) -> None:
    assert (await asyncio.to_thread(shell, "doctor --json")).code == 0
    (folder / "data").chmod(0o755)
    (folder / "wellio.toml").write_text('[limits]\nenabled = false\n[server]\nhost = "0.0.0.0"\n')
    result = await asyncio.to_thread(shell, "doctor --json --config wellio.toml")
    checks = by_name(result.stdout)
    assert result.code == 1
    wrong = {name: it["status"] for name, it in checks.items() if it["status"] != "ok"}
    assert wrong | {"data folder": "problem", "limits": "warning", "https": "warning"} == wrong
    assert "chmod" in checks["data folder"]["advice"]
    table = await asyncio.to_thread(shell, "doctor")
    assert "chmod" in table.stdout


@pytest.mark.usefixtures("practice")
async def test_what_lies_elsewhere_is_looked_at_too(shell: Shell, folder: Path) -> None:
    (folder / "files").mkdir(mode=0o755)
    (folder / "anchors").touch(0o644)
    places = f'[storage]\nfolder = "{folder}/files"\n[audit]\nanchor_file = "{folder}/anchors"\n'
    (folder / "wellio.toml").write_text(places)
    result = await asyncio.to_thread(shell, "doctor --json --config wellio.toml")
    checks = by_name(result.stdout)
    assert {checks[name]["status"] for name in ("files folder", "audit anchors")} == {"problem"}
    assert checks["files' disk space"]["detail"].endswith("GB are free")
    (folder / "files").chmod(0o700)
    (folder / "anchors").chmod(0o600)
    result = await asyncio.to_thread(shell, "doctor --json --config wellio.toml")
    checks = by_name(result.stdout)
    assert {checks[name]["status"] for name in ("files folder", "audit anchors")} == {"ok"}


async def test_a_keys_db_that_is_missing_or_anothers_is_named(wellio_app: StartApp) -> None:
    app, other = await wellio_app(plugins=[]), await wellio_app(plugins=[])

    async def found(status: str) -> Any:
        await app.start()
        report = await app.command("doctor")
        health = (await app.api.get("//health", status=200)).data
        await app.stop()
        assert health["status"] == status, health
        return {it["name"]: it for it in report["checks"]}["core: people's keys"]

    await app.stop()
    assert (await found("ok"))["status"] == "ok"  # nothing was ever sealed
    for one in (app, other):
        await one.stop()
        await one.start()
        await one.app.keys.seal("ann", "note", b"plain")
        await one.stop()
    ours, theirs = (one.config.data_dir / "keys.db" for one in (app, other))
    assert (await found("ok"))["status"] == "ok"
    ours.rename(ours.with_name("kept"))
    assert (await found("degraded"))["detail"].startswith("keys.db is missing: put")
    assert not ours.exists()  # it only looks
    ours.write_bytes(b"no database" * 500)
    ours.chmod(0o600)
    assert (await found("degraded"))["detail"].startswith("keys.db cannot be used: put")
    theirs.rename(ours)
    assert (await found("degraded"))["detail"].startswith("keys.db does not belong to this")
    ours.with_name("kept").rename(ours)
    assert (await found("ok"))["status"] == "ok"


MAIL = {"WELLIO_MAIL__URL": "mailtos://u:p@mx.example?from=a@b.example"}
URL = "WELLIO_SERVER__PUBLIC_URL"
PROXY = {"WELLIO_SERVER__TRUSTED_PROXIES": "127.0.0.1"}


@pytest.mark.parametrize(
    "env, names",
    [
        ({}, []),
        (MAIL, ["public_url"]),  # invitations would lead to localhost
        ({**MAIL, URL: "http://127.0.0.1:3000"}, ["public_url"]),
        ({**MAIL, URL: "https://practice.example", **PROXY}, []),
        ({URL: "https://practice.example"}, ["proxies"]),
        (PROXY, ["public_url"]),
        ({"WELLIO_LIMITS__ENABLED": "false", "REDIS_URL": "redis://h"}, ["limits", "REDIS_URL"]),
    ],
)
async def test_settings_that_do_not_fit_are_told_by_all_who_are_asked(
    shell: Shell, env: dict[str, str], names: list[str]
) -> None:
    """The check, the start and doctor have one list."""
    checked = await asyncio.to_thread(shell, "config check --json", env=env)
    warnings = json.loads(checked.stdout)["warnings"]
    config = load_config(NO_FILE, env=env)
    found = [it for it in await look(of_settings(config)) if it.status != "ok"]
    assert [it.name.removeprefix("setting ") for it in found] == names
    assert warnings == [f"{it.detail}: {it.advice}" for it in found]
    assert all(it.advice for it in found)


async def test_the_start_and_health_tell_what_doctor_does(wellio_app: StartApp) -> None:
    settings = {"mail.url": MAIL["WELLIO_MAIL__URL"], "limits.enabled": True}
    app = await wellio_app(settings=settings, plugins=[])
    told = {it.name: it for it in await at_start(app.app)}
    assert set(told) == {"public_url"}
    report = await app.command("doctor")
    assert {it["name"] for it in report["checks"] if it["status"] != "ok"} == set(told)
    health = (await app.api.get("//health", status=200)).data
    # It can wait, so nobody is alarmed; and what not everybody should read is not there.
    assert health["checks"]["public_url"] == {"status": "ok", "reason": "see `wellio doctor`"}
    assert health["status"] == "ok"
    app.config.data_dir.chmod(0o755)
    health = (await app.api.get("//health", status=200)).data
    assert health["checks"]["data folder"]["status"] == health["status"] == "degraded"
    assert [it.name for it in await at_start(app.app)] == ["data folder", "public_url"]


@pytest.mark.parametrize(
    "statuses, expected",
    [((), "ok"), (("ok", "warning"), "warning"), (("problem", "warning", "ok"), "problem")],
)
def test_the_worst_counts(statuses: tuple[Any, ...], expected: str) -> None:
    assert worst([Finding("it", status, "") for status in statuses]) == expected


async def test_both_engines_are_examined(wellio_app: StartApp) -> None:
    report = await (await wellio_app()).command("doctor")
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["durability"]["status"] == "ok", checks["durability"]
    assert checks.keys() & {"sqlite", "postgres"}
    assert {name for name, it in checks.items() if it["status"] == "problem"} == set()
