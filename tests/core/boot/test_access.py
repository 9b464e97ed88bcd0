"""A folder that is not this user's, or not usable, is one line that says whose it is."""

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.children import run
from tests.core.boot.processes import WELLIO, environment
from wellio.boot.access import refuse_foreign
from wellio.errors import WellioError

NOBODY = 65534
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


def spoil_secrets(data: Path) -> Path:
    os.chown(data / "secrets", 0, 0)
    return data / "secrets"


def spoil_folder(data: Path) -> Path:
    data.chmod(0o555)
    return data


def spoil_database(data: Path) -> Path:
    (data / "wellio.db").chmod(0o444)
    return data / "wellio.db"


@pytest.mark.parametrize(
    "spoil, said",
    [
        (spoil_secrets, "it belongs to root (mode 700), and must belong to nobody"),
        (spoil_folder, "its owner must be able to read and write it: `chmod 700 "),
        (spoil_database, "its owner must be able to read and write it: `chmod 600 "),
    ],
)
def test_the_path_its_owner_and_the_needed_one_are_named(
    spoil: Callable[[Path], Path], said: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        for folder in (Path(name), data, data / "secrets"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755 if folder == Path(name) else 0o700)
        (data / "wellio.db").touch(0o600)
        for path in (data, *data.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        path = spoil(data)
        os.seteuid(NOBODY)
        try:
            with pytest.raises(WellioError) as caught:
                refuse_foreign(data)
        finally:
            os.seteuid(0)
        assert str(caught.value).startswith(f"{path} cannot be used: ")
        assert said in str(caught.value)
        assert stat.S_IMODE(data.stat().st_mode) in {0o700, 0o555}


def test_an_error_of_the_system_is_one_line(tmp_path: Path) -> None:
    """Whatever it is: here a folder is where the settings should be."""
    (tmp_path / "plain").write_text("")
    line = ("serve", "--data", str(tmp_path / "plain/data"))
    refused = run(*WELLIO, *line, cwd=tmp_path, env=environment())
    assert refused.returncode == 1
    assert refused.stderr.startswith("wellio: ")
    assert refused.stderr.count("\n") == 1
