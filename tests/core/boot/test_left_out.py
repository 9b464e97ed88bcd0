"""What is wrong with a plugin, whatever it is, stops the start with its name, or leaves it out."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.boot.conftest import Shell
from wellio.testing import MakeUser, StartApp

pytestmark = pytest.mark.sqlite("plugins are loaded before any SQL of theirs runs")

HEAD = """
import sys
from wellio import Actor, Conflict, NoArguments, Permission, PersonalData, Plugin, call, hookimpl
from wellio import socket_event
PLUGIN = Plugin({name!r}, "1"{more})
"""
HOOK = "@hookimpl\n"
#: Names, what the plugin of that name does, and what is said of it. A name that begins with `a_`
#: comes before the built-in ones, which are not to blame for what it has taken from them.
BROKEN = {
    "exits": ("sys.exit(3)", "it ended the process (SystemExit: 3)"),
    "a_object": ("def register_routes(app): return object()", "a object and no sequence"),
    "a_async": ("async def register_routes(app): return []", "a coroutine"),
    "texts": ("def register_permissions(): return ['a.read']", "the text 'a.read'"),
    "jobs": ("def register_jobs(app): return ['x']", "the text 'x', which is no "),
    "nones": ("def register_health_checks(app): return [None]", "None, which is no HealthCheck"),
    "classes": ("def register_policies(app): return [PersonalData]", "the class PersonalData"),
    "half": ("def register_personal_data(app): return [Kind()]", "it lacks, or has otherwise: "),
    "letters": (
        """def register_personal_data(app):
    class D:
        tables = 'a'
        async def export(self, user_id): ...
        async def erase(self, tx, user_id): ...
    return [D()]""",
        "has otherwise: tables",
    ),
    "notices": ("def register_notices(app): return ['hello']", "the text 'hello'"),
    "later": ("async def register_subscribers(app, bus): ...", "a coroutine"),
    "command": ("def register_commands(cli): 1 / 0", "ZeroDivisionError"),
    "a_twin": (
        "def register_commands(cli):\n cli.operation('doctor', None, arguments=NoArguments)",
        "two commands are called doctor",
    ),
    "quits": ("def register_events(): sys.exit('enough')", "ended the process"),
    "story": ("def register_timeline(app): return ['walked']", "which is no TimelineSource"),
    "a_read": (
        "def register_permissions(): return [Permission('chat.read', 'x', frozenset())]",
        "permission chat.read is registered twice",
    ),
    "a_route": (
        """def register_routes(app):
    async def me(actor: Actor) -> None: ...
    return [call('GET', '/me', me, signed_in=True)]""",
        "answer the same requests",
    ),
    "open": (
        """def register_routes(app):
    async def see(actor: Actor) -> None: ...
    return [call('GET', '/x', see)]""",
        "who may call it?",
    ),
    "sockets": (
        """def register_socket_events(app):
    class S:
        @socket_event('x')
        async def x(self, client): ...
    return [S()]""",
        "who may send it?",
    ),
    "starts": ("async def lifespan(app):\n raise Conflict('no')\n yield", "lifespan failed: no"),
    "starts_not": ("async def lifespan(app): ...", "lifespan failed: it returned a coroutine"),
    "starts_exit": ("async def lifespan(app):\n sys.exit(1)\n yield", "ended the process"),
    "circle": ("", "in a circle: circle -> ring -> circle", "requires=('ring',)"),
    "ring": ("", "in a circle", "requires=('circle',)"),
    "wants": ("", "requires the plugin starts, which could not be loaded", "requires=('starts',)"),
    "nowhere": ("", "has no folder migrations", "migrations=('nowhere',)"),
    "letter": ("", "requires is no tuple of names", "requires='auth'"),
}
#: Migrations, and what is said of them.
SCHEMAS = {
    "tabel": ("CREATE TABEL x", "near"),
    "stranger": ("ALTER TABLE auth_user ADD COLUMN mood {text}", "it changes auth_user"),
    "diary": (
        """CREATE TABLE diary_day (id {text} PRIMARY KEY, owner_id {text}) {strict};
           CREATE TABLE diary_line (day {text} REFERENCES diary_day (id)) {strict};""",
        "diary_day (its column owner_id), diary_line (its column day, a key to diary_day)",
    ),
}
WELL = """
async def look(actor: Actor) -> None:
    '''Look whether somebody is there.'''

async def ping() -> None:
    '''Say that the plugin is there.'''

@hookimpl
def register_routes(app):
    return [
        call("GET", "/well", look, signed_in=True),
        call("GET", "/well/ping", ping, public=True),
    ]
"""


def write(folder: Path, name: str, text: str, more: str = "", sql: str = "") -> None:
    is_hook = text.startswith(("def ", "async "))
    body = HOOK + text if is_hook else text
    head = HEAD.format(name=name, more=more and f", {more}")
    place = folder / name if sql else folder
    place.mkdir(exist_ok=True)
    kind = "class Kind: pass\n" if "Kind" in text else ""
    (place / ("__init__.py" if sql else f"{name}.py")).write_text(head + kind + body)
    if sql:
        (place / "migrations").mkdir()
        (place / "migrations/0001_init.sql").write_text(sql)


@pytest.fixture
def plugins(folder: Path) -> Iterator[Path]:
    """Return the folder that `config.toml` names; what is imported of it goes with the test."""
    before = set(sys.modules)
    yield folder / "plugins"
    for module in set(sys.modules) - before:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(folder)):
            del sys.modules[module]


async def test_whatever_is_wrong_is_left_out_and_named(
    plugins: Path, wellio_app: StartApp, make_user: MakeUser
) -> None:
    expected = {"another chat": "two plugins are called chat: "}
    for name, (text, said, *more) in BROKEN.items():
        write(plugins, name, text, *more)
        expected[name] = said
    for name, (sql, said) in SCHEMAS.items():
        write(plugins, name, "", f"migrations=({name!r},)", sql)
        expected[name] = said
    write(plugins, "chat", "")
    write(plugins, "well", WELL)
    app = await wellio_app(settings={"loader.path": plugins, "loader.on_error": "skip"})
    skipped = app.app.hooks.plugins.skipped
    assert skipped.keys() == expected.keys()
    assert {name: said for name, said in expected.items() if said not in skipped[name]} == {}
    await app.api.as_(await make_user("client")).get("/well", status=204)
    health = (await app.api.get("//health", status=200)).data
    assert health["status"] == "degraded"
    assert {health["plugins"][name]["status"] for name in expected} == {"down"}
    assert health["plugins"]["chat"]["status"] == "ok"
    report = (await app.command("doctor"))["checks"]
    found = {it["name"]: (it["status"], it["detail"]) for it in report}
    assert found["plugins left out"][0] == found["people's tables"][0] == "warning"
    assert "diary_day, diary_line" in found["people's tables"][1]
    assert found["open routes"][0] == "ok"
    assert "GET /api/v1/well/ping" in found["open routes"][1]
    listed = (await app.command("plugins"))["skipped"]
    assert {it["name"] for it in listed} == expected.keys()


@pytest.mark.parametrize("name", ["exits", "a_async", "a_read", "command", "starts", "circle"])
def test_else_the_start_stops_with_its_name_in_a_sentence(
    plugins: Path, shell: Shell, name: str
) -> None:
    text, said, *more = BROKEN[name]
    write(plugins, name, text, *more)
    if name == "circle":
        write(plugins, "ring", "", "requires=('circle',)")
    ended = shell("serve --port 0")
    assert shell("config check").stderr.splitlines()[-1] == ended.stderr.splitlines()[-1]
    assert (ended.code, ended.stdout) == (1, "")
    (line,) = [it for it in ended.stderr.splitlines() if not it.startswith("{")]
    assert line.startswith(f"wellio: plugin {name} (plugins/{name}.py): ")
    assert said in line
    assert "Traceback" not in ended.stderr
