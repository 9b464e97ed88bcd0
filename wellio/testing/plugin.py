"""The fixtures; see `wellio.testing` for how a test uses them.

What only some fixtures need is imported inside them: pytest imports this module in every run.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from wellio.clock import Clock
    from wellio.db.base import Engine

    from . import Api, Recorder, Sockets, TestApp, User
    from .engines import Databases, EngineName


class StartApp:
    """What the fixture `wellio_app` is: call it to start an app.

    Attributes:
        started: The apps of this test, in the order of their starts.
    """

    def __init__(self, databases: "Callable[[bool], Databases]", ends: AsyncExitStack) -> None:
        self.started: list[TestApp] = []
        self._databases = databases
        self._ends = ends

    async def __call__(
        self,
        *,
        settings: Mapping[str, Any] | None = None,
        plugins: Sequence[object] | None = None,
        clock: "Clock | None" = None,
        workers: bool = True,
    ) -> "TestApp":
        """Start an app on a database of its own; `TestApp` says what the arguments are."""
        from .apps import TestApp

        databases = self._databases(plugins is None)
        url, data_dir = await databases.create()
        self._ends.push_async_callback(databases.drop, url)
        place = {"data_dir": data_dir, "database.url": url}
        app = TestApp({**place, **(settings or {})}, plugins, clock, workers=workers)
        self._ends.push_async_callback(app.stop)
        await app.start()
        self.started.append(app)
        return app

    async def first(self) -> "TestApp":
        """Return the app that was started first; without one, start one with the defaults."""
        return self.started[0] if self.started else await self()


class MakeUser(Protocol):
    """What the fixture `make_user` is."""

    async def __call__(
        self,
        role: str,
        *,
        name: str | None = None,
        email: str | None = None,
        coach: "User | None" = None,
        app: "TestApp | None" = None,
    ) -> "User":
        """Make an account and sign it in; `app` is `wellio_app.first()` by default."""


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark that leaves out an engine."""
    config.addinivalue_line(
        "markers",
        "sqlite(why): runs on SQLite alone, because no SQL is new here; for a test or a module",
    )
    config.addinivalue_line(
        "markers", "both_engines(why): runs on both, though its module is left at SQLite"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Leave Postgres to other tests where `mark.sqlite` says why."""
    mark = metafunc.definition.get_closest_marker("sqlite")
    both = metafunc.definition.get_closest_marker("both_engines")
    for each in (mark, both):
        if each is not None and not each.args:
            name = metafunc.definition.nodeid
            pytest.fail(f"{name}: mark.{each.name} says no reason", pytrace=False)
    if mark is None or both is not None or "engine" not in metafunc.fixturenames:
        return
    alone = pytest.mark.parametrize("engine", ["sqlite"], indirect=True, scope="module")
    metafunc.definition.add_marker(alone)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Have what shares an app run on that app's loop; a mark of its own would be forgotten."""
    if "shared_app" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> str:
    """Run the test on each engine; return its name.

    `pytestmark = pytest.mark.sqlite("why")` leaves a module at SQLite (the mark at a test, that
    test): where no SQL is new, or where another test has the same statements run on both.
    `mark.both_engines("why")` brings a test of such a module back: for locks and what happens at
    once.
    """
    return str(request.param)


@pytest.fixture(scope="session")
def wellio_databases(
    tmp_path_factory: pytest.TempPathFactory,
) -> "Callable[[EngineName, bool], Databases]":
    """Return who makes an engine's databases: with the installed plugins' schema, or empty."""
    from .engines import Databases

    @cache
    def databases(engine: "EngineName", is_installed: bool) -> Databases:
        folder = tmp_path_factory.mktemp(engine)
        return Databases(engine, folder, _bring_up if is_installed else None)

    return databases


async def _bring_up(database: "Engine") -> None:
    """Make the schema of all installed plugins, once for all tests."""
    from wellio.boot.assembly import migration_sources
    from wellio.boot.loader import load_plugins
    from wellio.config.settings import load_config
    from wellio.db.migrate import migrate

    from .apps import NO_FILE

    sources = migration_sources(load_plugins(load_config(NO_FILE, env={})))
    await migrate(database, sources, backups=Path(), now_ms=0)


@pytest_asyncio.fixture
async def wellio_app(
    engine: "EngineName", wellio_databases: "Callable[[EngineName, bool], Databases]"
) -> AsyncIterator[StartApp]:
    """Start apps, each on a port and a database of its own; they end with the test."""
    async with AsyncExitStack() as ends:
        yield StartApp(partial(wellio_databases, engine), ends)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_app(
    engine: "EngineName", wellio_databases: "Callable[[EngineName, bool], Databases]"
) -> AsyncIterator[StartApp]:
    """Start apps that all cases of a module share; they end with the module.

    A start and people cost more than most cases. So a module makes its world once, and a case that
    changes something makes its own object in it, rather than counting on what others left:

        @pytest_asyncio.fixture(scope="module", loop_scope="module")
        async def practice(shared_app, shared_user):
            app = await shared_app()
            return Practice(app, {"coach": await shared_user("coach")})

        async def test_it_is_renamed(practice):
            coach = practice.app.api.as_(practice.people["coach"])
            tag = (await coach.post("/tags", {"name": "Renamed"}, status=201)).data
            ...

    Async fixtures that work with it have `loop_scope="module"`, of whatever scope they are; tests
    get it by themselves. Sockets are opened by `shared_sockets`. A case that needs settings, a
    clock, a restart or an empty database of its own takes `wellio_app` as before; both may stand in
    one module, but not in one test.
    """
    async with AsyncExitStack() as ends:
        yield StartApp(partial(wellio_databases, engine), ends)


@pytest_asyncio.fixture
async def api(wellio_app: StartApp) -> "Api":
    """Return a client that is nobody; `api.as_(user)` is somebody."""
    return (await wellio_app.first()).api


@pytest_asyncio.fixture
async def bus(wellio_app: StartApp) -> "Recorder":
    """Return the events that were published."""
    return (await wellio_app.first()).bus


@pytest.fixture
def make_user(wellio_app: StartApp) -> MakeUser:
    """Make accounts that are signed in, in milliseconds."""
    return _makes_users(wellio_app)


@pytest.fixture(scope="module")
def shared_user(shared_app: StartApp) -> MakeUser:
    """Make accounts of the shared app, as `make_user` does of a test's own."""
    return _makes_users(shared_app)


def _makes_users(start: StartApp) -> MakeUser:
    from .users import Users

    users = Users()

    async def make(role: str, *, app: "TestApp | None" = None, **options: Any) -> "User":
        return await users.make(app or await start.first(), role, **options)

    return make


@pytest_asyncio.fixture
async def sockets() -> "AsyncIterator[Sockets]":
    """Open sockets to an app; they end with the test."""
    from .sockets import Sockets

    opened = Sockets()
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def shared_sockets(shared_app: StartApp) -> "AsyncIterator[Sockets]":
    """Open sockets to the shared app; they end with the test."""
    from .sockets import Sockets

    opened = Sockets()
    yield opened
    await opened.close()
