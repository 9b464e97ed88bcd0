"""One shape for everything: what a plugin's top and a room hold, and what a service speaks."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.core.source_tree import ROOT, Rule, Rules, Source, breaches, read, sample

CODE = read("wellio", "plugins")
EXAMPLES = read("examples")
#: What the core has beside its rooms: what all of them use, and what Python and pytest look for.
CORE_TOP = {
    *("__init__", "__main__", "pytest_plugin"),
    *("clock", "errors", "field_errors", "ids", "text", "wire"),
}
#: What a plugin has at its top: what is the whole plugin's.
PLUGIN_TOP = {
    *("__init__", "config", "events", "hooks", "permissions", "policies", "personal_data"),
    *("ports", "commands", "dashboard"),
}
#: What a room holds; the same name means the same thing everywhere.
ROOM = {
    *("__init__", "models", "store", "service", "api", "screens", "sockets", "subscribers"),
    *("jobs", "wire"),  # `wire`: the JSON that `Table.wire` cannot say
}
#: Folders that are no room.
FOLDERS = {"templates", "static", "locales", "migrations"}
#: The demo is no feature but a story: its rooms hold what it tells, and no services.
STORY = "wellio_demo"
#: So many nouns of its own may a room have beside that; one with more is two rooms.
NOUNS = 6
JSON = re.compile(r"\b(dict\[str, Any\]|Mapping\[str, Any\]|Json|bytes|Fragment)(?![\w])")
ENCODERS = {"orjson", "json", "rfc3339"}
PLUGINS = "plugins"


def place(source: Source) -> tuple[str, ...]:
    """Return the folders and the module's name below the package: `("messages", "store")`."""
    parts = source.path.with_suffix("").parts
    return parts[2:] if parts[0] == PLUGINS else parts[1:]


def core_keeps_to_rooms(source: Source) -> Iterator[str]:
    """`wellio/` is rooms; a loose module belongs to one of them."""
    if source.package == "wellio" and len(place(source)) == 1 and place(source)[0] not in CORE_TOP:
        yield f"1: {source.path.name} is in no room of wellio/"


def top_holds_what_is_the_plugins(source: Source) -> Iterator[str]:
    """A plugin's top is what the whole plugin shares; all else is in a room."""
    at = place(source)
    if source.path.parts[0] == PLUGINS and len(at) == 1 and at[0] not in PLUGIN_TOP:
        yield f"1: {source.path.name} belongs in a room"


def room_leaves_the_top_alone(source: Source) -> Iterator[str]:
    """What stands at a plugin's top stands there alone, and a room has no rooms."""
    at = place(source)
    if source.path.parts[0] != PLUGINS or len(at) == 1:
        return
    if len(at) > 2 and at[1] not in FOLDERS:
        yield f"1: {at[0]} is a room and has another, {at[1]}"
    elif at[-1] != "__init__" and at[-1] in {*PLUGIN_TOP, "policy"}:
        yield f"1: {source.path.name} stands at the plugin's top"


def service_speaks_rows(source: Source) -> Iterator[str]:
    """A service returns rows, views or slices; JSON is made at the edges."""
    if source.path.parts[0] not in {PLUGINS, "examples"}:
        return
    is_service = source.path.name == "service.py"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and (is_service or node.name.endswith("Service")):
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    returns = ast.unparse(method.returns) if method.returns else ""
                    if not method.name.startswith("_") and JSON.search(returns):
                        yield f"{method.lineno}: {node.name}.{method.name} returns {returns}"


def service_encodes_nothing(source: Source) -> Iterator[str]:
    """What a service stores as JSON, `Table` encodes; what it shows as JSON, the edge does."""
    if source.path.parts[0] not in {PLUGINS, "examples"} or source.path.name != "service.py":
        return
    for found in source.imports:
        for name in ENCODERS & {found.module, *found.names}:
            yield f"{found.line}: a service imports {name}"


def wire_forms_are_compiled(source: Source) -> Iterator[str]:
    """`TABLE.wire` makes JSON of a row; a function beside it says each column once more."""
    if source.path.parts[0] != PLUGINS:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef) and node.name.endswith("_wire"):
            yield f"{node.lineno}: {node.name}"


def codes_are_declared(source: Source) -> Iterator[str]:
    """A problem's code is its class's: endpoints declare it, and docs/errors.md has it."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            for it in node.keywords:
                if it.arg == "code" and isinstance(getattr(it.value, "value", None), str):
                    yield f"{node.lineno}: {ast.unparse(it)} is said where it is raised"


def imports_have_one_style(source: Source) -> Iterator[str]:
    """What lies in the file's own folder, or below, is `.x`; anything else is absolute."""
    is_package = source.path.name == "__init__.py"
    here = source.module if is_package else source.module.rpartition(".")[0]
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level > 1:
            yield f"{node.lineno}: {'.' * node.level} goes up; say it from the package's name"
        elif not node.level and f"{node.module}.".startswith(f"{here}.") and node.module != here:
            yield f"{node.lineno}: {node.module} is in the file's own folder: from ."


RULES: Rules = {
    core_keeps_to_rooms: [("wellio/loose.py", '"""Loose."""')],
    top_holds_what_is_the_plugins: [
        ("plugins/wellio_new/store.py", '"""SQL."""'),
        ("plugins/wellio_new/accounts.py", '"""Accounts."""'),
    ],
    room_leaves_the_top_alone: [
        ("plugins/wellio_new/books/events.py", '"""Events."""'),
        ("plugins/wellio_new/books/policy.py", '"""Who may."""'),
        ("plugins/wellio_new/books/pages/service.py", '"""A room of a room."""'),
    ],
    service_speaks_rows: [
        (
            "plugins/wellio_new/books/service.py",
            "class A:\n    async def read(self) -> dict[str, Any]: ...",
        ),
        (
            "plugins/wellio_new/books/service.py",
            "class A:\n    async def open(self) -> tuple[dict[str, Any], bool]: ...",
        ),
        ("plugins/wellio_new/books/service.py", "class A:\n    def read(self) -> bytes: ..."),
        (
            "plugins/wellio_new/books/history.py",
            "class HistoryService:\n    def page(self) -> orjson.Fragment: ...",
        ),
        (
            "examples/wellio-plugin-new/wellio_plugin_new/service.py",
            "class A:\n    async def read(self) -> list[dict[str, Any]]: ...",
        ),
    ],
    service_encodes_nothing: [
        ("plugins/wellio_new/books/service.py", "import orjson"),
        ("plugins/wellio_new/books/service.py", "def f():\n    from wellio import rfc3339"),
    ],
    wire_forms_are_compiled: [
        ("plugins/wellio_new/books/models.py", "def book_wire(row): ..."),
        ("plugins/wellio_new/books/api.py", "class A:\n    def _wire(self, row): ..."),
    ],
    codes_are_declared: [
        ("plugins/wellio_new/books/service.py", 'raise Conflict("Is lent.", code="lent")'),
    ],
    imports_have_one_style: [
        ("plugins/wellio_new/books/api.py", "from ..config import NewConfig"),
        ("plugins/wellio_new/books/api.py", "from wellio_new.books.service import BookService"),
        ("plugins/wellio_new/__init__.py", "from wellio_new.books.service import BookService"),
        ("wellio/boot/app.py", "from wellio.boot.hooks import Hooks"),
        ("wellio/wire.py", "from wellio.errors import Invalid"),
    ],
}

#: What is still on its way to a rule; nothing is added here.
NOT_YET: Mapping[Rule, set[str]] = {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_repository_keeps_the_rule(rule: Rule) -> None:
    later = NOT_YET.get(rule, set())
    found = breaches(rule, CODE + EXAMPLES)
    new = [it for it in found if not any(it.startswith(f"{folder}/") for folder in later)]
    assert not new, "\n".join(new)
    moved = {it for it in later if not any(found_in.startswith(f"{it}/") for found_in in found)}
    assert not moved, "these keep the rule by now: take them from NOT_YET"


@pytest.mark.parametrize(
    "rule, path, text", [(rule, *bad) for rule, samples in RULES.items() for bad in samples]
)
def test_the_rule_finds_a_breach(rule: Rule, path: str, text: str) -> None:
    assert len(breaches(rule, [sample(path, text)])) == 1


@pytest.mark.parametrize(
    "path, text",
    [
        ("plugins/wellio_new/__init__.py", "from .books.service import BookService"),
        ("plugins/wellio_new/books/api.py", "from .service import BookService"),
        ("plugins/wellio_new/books/api.py", "from wellio_new.pages.store import pages"),
        ("plugins/wellio_new/books/api.py", "from wellio_new import events"),
        ("plugins/wellio_new/books/migrations/0002_fold.py", '"""Fold."""'),
        ("plugins/wellio_new/books/shelf.py", '"""A noun of its own."""'),
        ("plugins/wellio_new/books/shelf.py", "raise TokenError(code=code)"),
        (
            "plugins/wellio_new/books/service.py",
            "class A:\n    def list(self) -> Slice[Row]: ...\n    def _a(self) -> bytes: ...",
        ),
        ("wellio/boot/app.py", "from .hooks import Hooks\nfrom wellio.errors import PluginError"),
    ],
)
def test_what_is_allowed_is_no_breach(path: str, text: str) -> None:
    assert [breaches(rule, [sample(path, text)]) for rule in RULES] == [[]] * len(RULES)


def rooms() -> list[Path]:
    """Return the folders of all plugins' rooms."""
    return sorted(
        {
            source.path.parent
            for source in CODE
            if source.path.parts[0] == PLUGINS
            and len(source.path.parts) == 4
            and source.path.parts[2] not in FOLDERS
            and source.package != STORY
        }
    )


@pytest.mark.parametrize("room", rooms(), ids=lambda room: "/".join(room.parts[1:]))
def test_a_room_has_the_shape_of_rooms(room: Path) -> None:
    held = {path.stem for path in (ROOT / room).glob("*.py")}
    assert "service" in held, "a room is there for what its service does"
    own = sorted(held - ROOM)
    assert len(own) <= NOUNS, f"{', '.join(own)}: that is another room"
    folders = {path.name for path in (ROOT / room).iterdir() if path.is_dir()}
    assert folders <= {"migrations", "__pycache__"}


def test_a_plugins_folders_are_rooms() -> None:
    known = {room.parts[1:] for room in rooms()}
    none = {*FOLDERS, "__pycache__"}
    for plugin in sorted({(ROOT / PLUGINS / room.parts[1]) for room in rooms()}):
        found = {it.name for it in plugin.iterdir() if it.is_dir()} - none
        assert {(plugin.name, name) for name in found} <= known
