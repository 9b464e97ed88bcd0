"""A folder with settings and a plugin of one file, and the command line within this process."""

import contextlib
import io
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.core.boot.processes import environment, wellio
from wellio.cli.program import run

#: Commands that tell where they ran, and a request that takes its time.
PLUGIN = '''
import asyncio, os
from pydantic import BaseModel, SecretStr
from wellio import NoArguments, Plugin, endpoint, hookimpl

PLUGIN = Plugin("probe", "2.5", summary="Looks at the command line.")


class Words(BaseModel, use_attribute_docstrings=True):
    text: str
    """What is said."""
    loud: bool = False
    also: list[str] = []
    secret: SecretStr | None = None


async def where(app, _):
    """Tell in which process this runs."""
    return {"pid": os.getpid()}


async def say(app, words):
    """Say something."""
    secret = words.secret.get_secret_value() if words.secret else None
    return {"text": words.text, "loud": words.loud, "also": words.also, "secret": secret}


class Api:
    def __init__(self, folder):
        self.folder = folder

    @endpoint("GET", "//slow", public=True, returns=None, status=204, summary="Takes its time.")
    async def slow(self, request):
        (self.folder / "begun").touch()
        while not (self.folder / "go").exists():
            await asyncio.sleep(0.01)


@hookimpl
def register_routes(app):
    return [Api(app.config.data_dir)]


@hookimpl
def register_commands(cli):
    cli.operation("probe where", where, arguments=NoArguments)
    cli.operation("probe say", say, arguments=Words)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the current folder: its `config.toml` adds the plugin above."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/probe.py").write_text(PLUGIN)
    (tmp_path / "config.toml").write_text("loader.path = 'plugins'\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("probe", None)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


Shell = Callable[..., Ended]


@pytest.fixture
def shell(folder: Path) -> Iterator[Shell]:
    """Run commands in this process, which saves each of them the start of another."""

    def call(line: str, *, stdin: str = "", env: Mapping[str, str] | None = None) -> Ended:
        stdout, stderr = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, environment(env), clear=True),
            patch.object(sys, "stdin", io.StringIO(stdin)),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
            pytest.raises(SystemExit) as exit_,
        ):
            run(line.split())
        return Ended(int(exit_.value.code or 0), stdout.getvalue(), stderr.getvalue())

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield call
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def practice_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a practice of nobody, once: most commands look after one, and make none."""
    data = tmp_path_factory.mktemp("practice") / "data"
    assert wellio("migrate", cwd=data.parent).returncode == 0
    return data


@pytest.fixture
def practice(folder: Path, practice_template: Path) -> Path:
    """Return the folder of a practice of nobody: `data` in the current one."""
    return Path(shutil.copytree(practice_template, folder / "data"))
