"""What a plugin's tests need, as a pytest plugin.

`wellio[testing]` brings what it uses, and pytest's settings say `asyncio_mode = "auto"`, for tests
that are coroutines.

    async def test_hello(wellio_app, make_user):
        app = await wellio_app()              # on a port and a database of its own
        coach = await make_user("coach")
        reply = await app.api.as_(coach).get("/hello", status=200)
        assert reply.data == {"hello": coach.name}
        assert app.bus.names == ["hello.said"]

Fixtures: `engine` (the test runs on SQLite and again on Postgres, and on SQLite alone where
`pytest.mark.sqlite("why")` says why), `wellio_app`, `make_user`, `api`, `bus`, `sockets`; and
`shared_app`, `shared_user`, `shared_sockets` for a world that the cases of a module share.
`scenario` makes a table of requests into tests; `Rules` say who may do what, and `Matrix` tries
them as everybody with everybody's things (`wellio.testing.matrix` shows how). docs/plugins.md has
all of them, in use. Nothing here sleeps: waiting is always for a condition, with a deadline.
"""

from .apps import TestApp
from .client import Api, Reply
from .deadline import DEADLINE_S
from .matrix import Matrix
from .plugin import MakeUser, StartApp
from .race import race
from .recorder import Recorder
from .rules import PublicRule, Rule, Rules, Thing
from .scenarios import Scenario, scenario
from .sockets import IoSocket, PlainSocket, Socket, Sockets
from .users import User, sign_in
from .world import World

__all__ = [
    "DEADLINE_S",
    "Api",
    "IoSocket",
    "MakeUser",
    "Matrix",
    "PlainSocket",
    "PublicRule",
    "Recorder",
    "Reply",
    "Rule",
    "Rules",
    "Scenario",
    "Socket",
    "Sockets",
    "StartApp",
    "TestApp",
    "Thing",
    "User",
    "World",
    "race",
    "scenario",
    "sign_in",
]
