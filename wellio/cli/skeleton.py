"""`wellio plugin new`: the files that a plugin begins with.

They are in `templates/`, with NAME where the plugin's name goes, in their paths too.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

from wellio.boot.plugin_sources import discover
from wellio.errors import Invalid, PluginError, invalid

_TEMPLATES = Path(__file__).parent / "templates"
_SUFFIX = ".tmpl"  # so that no tool takes a template for what it will become
_PLACE = "NAME"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 30  # the engines' names of tables and indexes end at 63


def new_distribution(name: str, parent: Path) -> Path:
    """Write a distribution `wellio-plugin-<name>`, and return its folder.

    Raises:
        Invalid: No plugin of somebody else's may be called so.
        PluginError: The folder is there already.
    """
    _check(name)
    folder = parent / f"wellio-plugin-{name}"
    if folder.exists():
        raise PluginError(f"{folder} is there already")
    _write(folder, rendered("distribution", name))
    return folder


def new_file(name: str, folder: Path) -> Path:
    """Write a plugin of one file with its test, and return the file.

    pytest's settings come with them where there are none yet.

    Raises:
        Invalid: No plugin of somebody else's may be called so.
        PluginError: A file is there already.
    """
    _check(name)
    if find_spec(name):
        raise _bad(f"must not be {name}, which is a Python module's")
    files = dict(rendered("file", name))
    if (folder / "pyproject.toml").exists() or (folder / "pytest.ini").exists():
        del files["pytest.ini"]  # pytest reads one file of settings, and that would be this one
    for path in files:
        if (folder / path).exists():
            raise PluginError(f"{folder / path} is there already")
    _write(folder, files)
    return folder / next(iter(files))


def rendered(kind: str, name: str) -> Mapping[str, str]:
    """Return the text of each file of a skeleton, by its path.

    Args:
        kind: `distribution` or `file`.
        name: The plugin's name.
    """
    return {
        path.removesuffix(_SUFFIX).replace(_PLACE, name): text.replace(_PLACE, name)
        for path, text in _templates(_TEMPLATES / kind)
    }


def _templates(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob(f"*{_SUFFIX}")):
        yield path.relative_to(folder).as_posix(), path.read_text()


def _write(folder: Path, files: Mapping[str, str]) -> None:
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    except OSError as error:
        raise PluginError(f"{error.filename}: {error.strerror}") from error


def _check(name: str) -> None:
    """Refuse a name that the loader, the engines or this project could not live with."""
    if re.match(r"wellio\b|wellio_", name):
        raise _bad(
            "must not begin with wellio, as this project's own do: "
            f"one like wins becomes wellio_plugin_wins, not {name}"
        )
    if name == "core":
        raise _bad("must not be core, as Wellio itself is called in logs and in /health")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or iskeyword(name):
        raise _bad(
            f"must be at most {_LONGEST} lower-case letters, digits and single underscores, "
            "such as wins or sleep_diary"
        )
    for offer in discover(None):
        if offer.name == name:
            raise _bad(f"must be new: {offer.origin} has a plugin {name} already")
        if offer.is_builtin and name.startswith(f"{offer.name}_"):
            raise _bad(f"must not begin with {offer.name}_, as the tables of {offer.name} do")


def _bad(message: str) -> Invalid:
    return invalid("/name", "bad_name", message)
