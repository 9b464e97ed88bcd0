"""A demo goes where nothing is; what it finds elsewhere stays as it was."""

from pathlib import Path

import pytest

from wellio import DemoSize, WellioError
from wellio.config.settings import Config, load_config
from wellio.demo.filling import fill
from wellio.demo.record import read
from wellio.testing.apps import NO_FILE


def config_of(folder: Path) -> Config:
    return load_config(NO_FILE, env={}, overrides={"data_dir": folder})


def everything_in(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize(
    "name", ["wellio.db", "secrets/master.key", "keys.db", "files/a", "audit.anchors", "notes.txt"]
)
async def test_a_folder_that_has_something_in_it_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("somebody's")
    (tmp_path / "wellio.lock").write_text("")
    before = everything_in(tmp_path)
    first = name.partition("/")[0]
    with pytest.raises(WellioError, match=rf"is no demo and has something in it \({first}\)"):
        await fill(config_of(tmp_path), plugins=[])
    assert everything_in(tmp_path) == before


async def test_a_new_disk_and_a_folder_that_a_server_left_empty_are_free(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "wellio.lock").write_text("1234")
    practice = await fill(config_of(tmp_path), size=DemoSize(days=14), plugins=[])
    assert read(config_of(tmp_path)) == practice


async def test_a_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WellioError, match=r"the data folder .* cannot be used"):
        await fill(config_of(tmp_path / "file"), plugins=[])


async def test_a_demo_is_not_filled_twice(tmp_path: Path) -> None:
    config = config_of(tmp_path / "data")
    practice = await fill(config, size=DemoSize(days=14), plugins=[])
    with pytest.raises(WellioError, match="is a demo already: `wellio serve --demo --data"):
        await fill(config, plugins=[])
    assert read(config) == practice


async def test_a_demo_of_which_nobody_tells_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    asked = {"data_dir": folder, "loader.disabled": ["demo"]}
    with pytest.raises(WellioError, match=r"is `demo` in \[loader\] disabled"):
        await fill(load_config(NO_FILE, env={}, overrides=asked))
    assert not folder.exists()
