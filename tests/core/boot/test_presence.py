"""What makes a practice and what looks after one: no folder or URL passes for an empty one."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.core.boot.conftest import Shell
from wellio.testing.engines import Databases

OWNER = "user create --email olga@p.example --name Olga --role owner --password-stdin"
PASSWORD = "one fine horse, two batteries\n"

pytestmark = pytest.mark.sqlite("each case says which database it is about")


def contents(folder: Path) -> Mapping[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "wellio.lock"
    }


LOOKERS = (
    *("doctor", "plugins", "outbox", "audit verify", "keys rotate", "mail show"),
    "probe where",  # a plugin's
)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_command_in_the_wrong_folder_makes_nothing(
    shell: Shell, folder: Path, is_there: bool
) -> None:
    data = folder / "elsewhere"
    if is_there:
        data.mkdir()
    said = f"wellio: no practice in {data}; --data names it"
    for line in LOOKERS:
        refused = shell(f"{line} --data elsewhere")
        assert (refused.code, refused.stdout, refused.stderr) == (2, "", f"{said}\n"), line
    refused = shell(f"{OWNER} --data elsewhere", stdin=PASSWORD)
    assert (refused.code, refused.stderr) == (2, f"{said}, and --new makes one\n")
    assert data.exists() is is_there
    assert not is_there or not list(data.iterdir())


def test_a_first_account_makes_a_practice_when_it_says_so(shell: Shell) -> None:
    for new in ("", " --new"):
        made = shell(f"{OWNER}{new} --json", stdin=PASSWORD)
    assert json.loads(made.stdout)["role"] == "owner"
    again = shell("user password olga@p.example --password-stdin", stdin=f"{PASSWORD}more")
    assert (again.code, again.stderr) == (0, "")
    assert "olga@p.example" in shell("user list").stdout
    assert shell("user password --password-stdin", stdin=PASSWORD).code == 2
    assert shell("doctor").code == 0


@pytest.mark.parametrize("key", [None, "5f3759df1b873593cc9e2d51e6546b64" * 2])
def test_nothing_is_written_where_the_right_master_key_is_not(
    shell: Shell, practice: Path, key: str | None
) -> None:
    """Neither a key in the place of the missing one, nor anything under a wrong one."""
    (practice / "secrets/master.key").rename(practice.parent / "kept")
    before = contents(practice)
    env = {"WELLIO_SECRETS__MASTER_KEY": key} if key else {}
    for line in ("migrate", "serve --port 0", "outbox", f"{OWNER} --new", "migrate --new"):
        refused = shell(line, stdin=PASSWORD, env=env)
        assert (refused.code, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
        assert ("expected the master key" if key else "master.key is missing") in refused.stderr
    assert contents(practice) == before
    (practice.parent / "kept").rename(practice / "secrets/master.key")
    assert shell("outbox").code == 0


def test_a_url_does_not_begin_an_empty_practice_beside_a_full_one(
    shell: Shell, folder: Path, practice: Path
) -> None:
    other = {"DATABASE_URL": f"sqlite:///{folder}/other.db"}
    assert shell("migrate", env=other).code == 0  # nobody is in the folder's practice yet
    (folder / "other.db").unlink()
    assert shell(OWNER, stdin=PASSWORD).code == 0
    before = contents(practice)
    refused = shell("migrate", env=other)
    assert (refused.code, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert f"{practice} holds a practice in wellio.db" in refused.stderr
    assert "take database.url away" in refused.stderr
    assert contents(practice) == before
    assert shell("migrate --new", env=other).code == 0
    assert shell(f"{OWNER} --new", stdin=PASSWORD, env=other).code == 0
    assert shell("migrate", env=other).code == 0  # both have people by now
    assert shell("outbox").code == 0


def test_a_folder_that_lost_its_database_is_not_taken_for_new(
    shell: Shell, folder: Path, practice: Path
) -> None:
    """As with a `DATABASE_URL` that was forgotten."""
    (practice / "audit.anchors").write_text("wellio-audit-2 0x00\n")
    (practice / "wellio.db").rename(folder / "kept")
    refused = shell("migrate")
    assert (refused.code, refused.stderr.count("\n")) == (1, 1)
    assert "was used with another database" in refused.stderr
    assert not (practice / "wellio.db").exists()
    shutil.copy(folder / "kept", practice / "wellio.db")
    assert shell("migrate").code == 0
    (practice / "wellio.db").unlink()
    assert shell("migrate --new").code == 0


async def test_a_database_of_postgres_is_looked_at_before_the_folder_is(
    shell: Shell, folder: Path, tmp_path: Path
) -> None:
    databases = Databases("postgres", tmp_path / "pg")
    url, _ = await databases.create()
    env = {"DATABASE_URL": url}
    said = [
        await asyncio.to_thread(shell, line, env=env)
        for line in ("outbox", "migrate", "outbox", "outbox --data elsewhere", "migrate --data new")
    ]
    assert [it.code for it in said] == [2, 0, 0, 2, 1], [it.stderr for it in said]
    assert not (folder / "elsewhere").exists()
    assert "new/secrets/master.key is missing" in said[-1].stderr
    await databases.drop(url)
