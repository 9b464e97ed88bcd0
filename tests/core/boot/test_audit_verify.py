"""`wellio audit verify`: what it says, and its exit code, with a running server and without one."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.core.boot.conftest import Shell
from tests.core.boot.processes import serve

OWNER = {
    "WELLIO_SETUP__OWNER_EMAIL": "olga@practice.example",
    "WELLIO_SETUP__OWNER_PASSWORD": "one fine horse, two batteries",
}


def tamper(folder: Path, sql: str) -> None:
    """Do what whoever has the database can do while nobody looks."""
    with closing(sqlite3.connect(folder / "data/wellio.db")) as connection, connection:
        connection.execute(sql)


async def test_it_tells_what_was_changed(shell: Shell, folder: Path) -> None:
    def verify(options: str = "--json") -> Any:
        return asyncio.to_thread(shell, f"audit verify {options}")

    async with serve(folder, env=OWNER) as server:
        intact = await verify()  # inside the server, which goes on
        report = json.loads(intact.stdout)
        assert (intact.code, report["status"], report["breaks"]) == (0, "intact", [])
        assert report["rows"] + report["pending"] >= 2  # the practice, the owner
        await server.stop()
    report = json.loads((await verify()).stdout)
    assert (report["status"], report["pending"]) == ("intact", 0)
    assert report["anchored"] == report["rows"] >= 2  # a stop signs what is there
    anchors = folder / "data/audit.anchors"
    kept = anchors.rename(folder / "kept.anchors")
    assert "intact" in (await verify("")).stdout

    tamper(folder, "UPDATE wellio_audit SET actor_id = 'mallory' WHERE seq = 1")
    broken = await verify()
    report = json.loads(broken.stdout)
    assert (broken.code, report["status"], report["found"]) == (1, "broken", 1)
    assert report["breaks"][0] | {"id": "", "reason": ""} == {
        "row": 1,
        "kind": "altered",
        "id": "",
        "reason": "",
    }
    tamper(folder, "DELETE FROM wellio_audit")
    assert (await verify()).code == 0  # without an anchor, an empty log is an empty log
    broken = await verify(f"--anchors {kept}")
    assert broken.code == 1
    assert "truncated" in broken.stdout


@pytest.mark.parametrize("path", ["kept.anchors", "/nowhere/kept.anchors"])
def test_a_file_that_the_server_would_not_find_is_a_wrong_call(shell: Shell, path: str) -> None:
    refused = shell(f"audit verify --anchors {path}")
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("wellio: anchors must be ")
