"""A migration that landed is never edited again: databases have run it, and refuse another text.

`migrations.sha256` has a line for each, as `sha256sum` writes them. Who adds a migration adds the
line that the failing test prints.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.core.source_tree import ROOT

LIST = Path(__file__).with_name("migrations.sha256")
PLACES = ("wellio", "plugins", "examples")


def present(root: Path) -> dict[str, str]:
    """Return the checksum of each migration of the repository, by its path there."""
    files = (file for place in PLACES for file in (root / place).rglob("migrations/[0-9]*"))
    return {
        file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.suffix in {".sql", ".py"}
    }


def landed(text: str) -> dict[str, str]:
    """Return what the list says, in the same form."""
    lines = (line.split(maxsplit=1) for line in text.splitlines())
    return {path: checksum for checksum, path in lines}


def breaches(known: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """Yield what to do about each that is not as it landed, and about each that is new."""
    for path in sorted(known.keys() | found.keys()):
        if path not in known:
            yield f"{path} is new; add this line to {LIST.name}:\n{found[path]}  {path}"
        elif path not in found:
            yield f"{path} has landed and is gone: put it back"
        elif known[path] != found[path]:
            yield f"{path} has landed and was changed: put it back, and write a new migration"


def test_what_has_landed_is_as_it_was() -> None:
    found = list(breaches(landed(LIST.read_text()), present(ROOT)))
    assert found == [], "\n" + "\n".join(found)


def test_the_list_is_in_order() -> None:
    paths = list(landed(LIST.read_text()))
    assert paths == sorted(paths)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda folder: (folder / "0001_init.sql").write_text("SELECT 2"), "write a new migration"),
        (lambda folder: (folder / "0001_init.sql").unlink(), "is gone: put it back"),
        (
            lambda folder: (folder / "0001_init.sql").rename(folder / "0002_init.sql"),
            "0001_init.sql has landed and is gone",
        ),
        (
            lambda folder: (folder / "0002_more.py").write_text(""),
            f"{hashlib.sha256(b'').hexdigest()}  plugins/wellio_mood/days/migrations/0002_more.py",
        ),
    ],
    ids=["edited", "deleted", "renamed", "added"],
)
def test_it_finds_what_it_looks_for(
    tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    folder = tmp_path / "plugins/wellio_mood/days/migrations"
    folder.mkdir(parents=True)
    (folder / "0001_init.sql").write_text("SELECT 1")
    known = present(tmp_path)
    assert list(breaches(known, present(tmp_path))) == []
    change(folder)
    assert said in "\n".join(breaches(known, present(tmp_path)))
