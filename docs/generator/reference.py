"""`docs/reference.md`: everything that a plugin may import, by subject."""

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import wellio
import wellio.testing
from docs.generator import source, text
from docs.generator.subjects import NOT_FOR_PLUGINS, SUBJECTS, TESTING, Subject

_INTRODUCTION = """\
Everything that a plugin may import: from `wellio`, in its tests from `wellio.testing`, and from the `ports` of the plugins that it names in `requires` or `after`. What is not here may change any day. [plugins.md](plugins.md) shows most of it in use, in an order in which it can be read; this page is for looking things up. `await` before a name says that it is a coroutine."""  # noqa: E501 - a paragraph is a line
_PORTS = """\
A port is a Protocol that another plugin answers: `app.service(SendMessages)`. It makes a write of its own, so it is called after yours, not inside it."""  # noqa: E501 - the same


def page(app: wellio.Wellio) -> str:
    """Return the page."""
    return text.page(
        "Reference",
        _INTRODUCTION,
        text.table(("Subject", "Names"), _contents()),
        "# `wellio`\n",
        *(part for subject in SUBJECTS for part in _subject(wellio, subject)),
        "# `wellio.testing`\n",
        *(part for subject in TESTING for part in _subject(wellio.testing, subject)),
        f"# Ports\n\n{_PORTS}\n",
        *(part for entry in app.hooks.plugins.loaded for part in _ports(entry.package)),
    )


def _contents() -> Iterator[tuple[str, str]]:
    for subject in (*SUBJECTS, *TESTING):
        anchor = subject.title.lower().replace(" ", "-").replace(",", "").replace("'", "")
        names = ", ".join(f"`{name}`" for name in subject.names.split())
        yield f"[{subject.title}](#{anchor})", names


def _subject(module: ModuleType, subject: Subject) -> Iterator[str]:
    yield f"## {subject.title}\n\n{subject.says}\n"
    short = []
    for name in subject.names.split():
        thing = getattr(module, name)
        if inspect.isclass(thing):
            members = [*_members(thing)]
            said, sections = source.parts(text.docstring(thing))
            if members or "\n" in said:
                yield f"### `{name}`\n\n{said}\n{_bullets(members)}"
            else:
                short.append((f"`{name}`", said))
        elif inspect.isroutine(thing):
            said, sections = source.parts(text.docstring(thing))
            told = (item for it in ("Args", "Returns", "Raises") for item in _told(it, sections))
            shown = f"```python\n{source.signature(thing)}\n```"
            yield f"### `{name}`\n\n{shown}\n\n{said}\n{_bullets(told)}"
        else:
            short.append((f"`{name}`", source.constant(module.__name__, name)))
    if short:
        yield text.table(("Name", ""), short)


def _members(cls: type) -> Iterator[tuple[str, str]]:
    hidden = NOT_FOR_PLUGINS.get(cls.__name__, "").split()
    for member in source.members(cls):
        if member.name not in hidden:
            yield f"`{member.shown}`", member.summary


def _told(section: str, sections: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    for name, said in sections.get(section, {}).items():
        if section == "Returns":
            yield "returns", said
        else:
            yield f"raises `{name}`" if section == "Raises" else f"`{name}`", said


def _ports(package: str) -> Iterator[str]:
    name = f"{package}.ports"
    if find_spec(name) is None:
        return
    for thing in vars(import_module(name)).values():
        if inspect.isclass(thing) and thing.__module__ == name:
            said, _ = source.parts(text.docstring(thing))
            yield f"## `{name}.{thing.__name__}`\n\n{said}\n{_bullets(_members(thing))}"


def _bullets(items: Iterable[tuple[str, Any]]) -> str:
    lines = "".join(f"* {what}{f': {said}' if said else ''}\n" for what, said in items)
    return f"\n{lines}" if lines else ""
