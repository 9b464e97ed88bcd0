"""What the container does, by hand: another user, a tree that is read-only, one folder to write to.

No Docker engine is at hand; the Dockerfile and compose.yaml are read, and held against what ran.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aiohttp import ClientSession
from packaging.utils import canonicalize_name

from hatch_build import bill_of_materials
from tests import children
from tests.container.conftest import ROOT, UID, Installed

if TYPE_CHECKING:
    import subprocess

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
WORK_S = 180
STOP_S = 12  # what the container gives it, and a little
PASSWORD = "one fine horse, two batteries"


def run(
    installed: Installed, *words: str, stdin: str = "", **env: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command of Wellio to its end, as the image's user."""
    return children.run(
        f"{installed.app}/bin/wellio", *words,
        env={**installed.environment, **env}, user=installed.uid, group=installed.uid,
        extra_groups=[], cwd=installed.data, stdin=stdin,
    )  # fmt: skip


@asynccontextmanager
async def started(
    installed: Installed,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """Run the server; what it said when it was up is the second item."""
    async with children.child(
        *(f"{installed.app}/bin/wellio", "serve", "--json", "--port", "0"),
        env=installed.environment, user=installed.uid, group=installed.uid, extra_groups=[],
        cwd=installed.data, stdout=asyncio.subprocess.PIPE, limit_s=WORK_S,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        yield process, json.loads(await process.stdout.readline())


async def post(session: ClientSession, path: str, body: dict[str, Any], token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with session.post(f"/api/v1{path}", json=body, headers=headers) as response:
        assert response.status == 201, await response.text()
        return await response.json()


async def talk(installed: Installed, url: str, notice: str) -> None:
    """Set the practice up, make a coach by command, and send a message."""
    practice = {"name": "P", "timeZone": "UTC", "currency": "EUR", "locale": "en"}
    owner = {"name": "Olga", "email": "olga@example.com", "password": PASSWORD}
    token = notice.partition("token=")[2].split()[0]  # it is the end of the link's line
    body = {"token": token, "practice": practice, "owner": owner}
    async with ClientSession(url) as session:
        token = (await post(session, "/setup", body))["accessToken"]
        words = "user create --email carl@example.com --name Carl --role coach --password-stdin"
        carl = run(installed, *words.split(), "--json", stdin=PASSWORD + "\n")
        assert carl.returncode == 0, carl.stderr
        members = {"kind": "direct", "memberIds": [json.loads(carl.stdout)["id"]]}
        room = (await post(session, "/conversations", members, token))["id"]
        message = {"content": "Hello", "localId": "1"}
        sent = await post(session, f"/conversations/{room}/messages", message, token)
        assert sent["seq"] == 1


@pytest.mark.timeout(240)
async def test_it_serves_as_a_user_who_may_write_to_one_folder(installed: Installed) -> None:
    before = set(installed.app.rglob("*"))
    async with started(installed) as (process, said):
        port = said["url"].rpartition(":")[2]
        await talk(installed, said["url"], said["notices"][0])
        assert run(installed, "health", WELLIO_SERVER__PORT=port).returncode == 0
        process.terminate()
        async with asyncio.timeout(STOP_S):
            assert await process.wait() == 0
        assert run(installed, "health", WELLIO_SERVER__PORT=port).returncode != 0
    assert set(installed.app.rglob("*")) == before
    assert {path.stat().st_uid for path in installed.data.rglob("*")} == {installed.uid}


def test_nothing_but_what_runs_is_in_it(installed: Installed) -> None:
    names = {path.name.partition("-")[0] for path in installed.app.rglob("*.dist-info")}
    assert "wellio" in names
    assert names & {"pytest", "hypothesis", "mypy", "ruff", "uv", "hatchling", "pip"} == set()
    modes = {path: path.lstat().st_mode for path in installed.app.rglob("*")}
    assert [path for path, mode in modes.items() if mode & 0o6000] == []
    assert list(installed.app.rglob("secrets/*.key")) == []


def test_the_bill_of_materials_lists_all_that_is_installed(installed: Installed) -> None:
    (inside,) = installed.app.rglob("*.dist-info/sboms/wellio.cdx.json")
    bill = json.loads(inside.read_text())
    listed = {
        it["name"]: it["version"] for it in [bill["metadata"]["component"], *bill["components"]]
    }
    found = {it.name: it.version for it in metadata.distributions(path=[str(inside.parents[2])])}
    assert {name: listed.get(canonicalize_name(name)) for name in found} == found
    shown = (installed.app / inside.name).read_bytes()
    assert shown == inside.read_bytes() == bill_of_materials(ROOT, found["wellio"])


def test_the_dockerfile_does_the_same() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    assert "RUN sh container/install.sh /app" in stages[0]
    assert all("slim" in stage.splitlines()[0] for stage in stages)
    last = stages[1]
    assert f"useradd --uid {UID}" in last
    for line in (
        f"USER {UID}", "VOLUME /data", "EXPOSE 3000", "STOPSIGNAL SIGTERM",
        'CMD ["wellio", "serve"]', "COPY --from=build /app /app",
    ):  # fmt: skip
        assert re.search(rf"^{re.escape(line)}$", last, re.MULTILINE), line
    assert re.search(r'^HEALTHCHECK .*CMD \["wellio", "health"\]$', last, re.MULTILINE)
    assert set(Installed(Path(), Path(), 0).environment) <= set(re.findall(r"([A-Z_]{4,})=", last))


def test_the_build_gets_what_it_reads_and_no_more() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert {name for name in allowed if not (ROOT / name).exists()} == set()
    copied = set(
        re.findall(r"requirements/(\w+\.lock)", (ROOT / "container/install.sh").read_text())
    )
    assert copied == {"bootstrap.lock", "build.lock", "runtime.lock"}
    assert {".git", "tests", "data", ".env"} & allowed == set()


def test_compose_gives_the_service_no_more_than_it_needs() -> None:
    services = COMPOSE["services"]
    alone = [name for name, service in services.items() if "profiles" not in service]
    assert alone == ["wellio"]
    wellio = services["wellio"]
    assert wellio["read_only"] is True
    assert wellio["cap_drop"] == ["ALL"]
    assert wellio["security_opt"] == ["no-new-privileges:true"]
    assert wellio["volumes"] == ["data:/data"]
    assert wellio["ports"] == ["127.0.0.1:3000:3000"]
    scale = {name for name, service in services.items() if service.get("profiles") == ["scale"]}
    assert scale == {"postgres", "redis", "proxy"}
    assert {volume.partition(":")[0] for s in services.values() for volume in s.get("volumes", ())
            if not volume.startswith(".")} == set(COMPOSE["volumes"])  # fmt: skip
    assert (ROOT / "container/Caddyfile").exists()
    assert not re.search(
        r"password\s*[:=]\s*\w", (ROOT / "compose.yaml").read_text(), re.IGNORECASE
    )
