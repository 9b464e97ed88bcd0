"""A practice of two coaches with a client each, and everybody who should not see too much."""

from dataclasses import dataclass

import pytest
import pytest_asyncio

from wellio.testing import MakeUser, StartApp, TestApp, User


@dataclass(frozen=True)
class Practice:
    """A server and its people.

    Attributes:
        app: The server.
        people: By what they are; Mia is Carl's client, Noah is Dana's.
        ids: What scenarios name in braces: everybody's account and the clients' records.
    """

    app: TestApp
    people: dict[str, User]
    ids: dict[str, str]


@pytest.fixture
async def practice(wellio_app: StartApp, make_user: MakeUser) -> Practice:
    """Have a practice of the test's own, to change anything in."""
    return await _practice(wellio_app, make_user)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_practice(shared_app: StartApp, shared_user: MakeUser) -> Practice:
    """Have the module's practice: a test that changes something makes its own `client_of`."""
    return await _practice(shared_app, shared_user)


async def client_of(practice: Practice, coach: str, **fields: object) -> str:
    """Make a record, without an account, of somebody whom a coach looks after."""
    api = practice.app.api.as_(practice.people[coach])
    made = await api.post("/clients", {"name": "Own", **fields}, status=201)
    return str(made.data["id"])


async def _practice(wellio_app: StartApp, make_user: MakeUser) -> Practice:
    app = await wellio_app()
    olga = await make_user("owner", name="Olga")
    carl = await make_user("coach", name="Carl")
    dana = await make_user("coach", name="Dana")
    people = {
        "owner": olga,
        "carl": carl,
        "dana": dana,
        "assistant": await make_user("assistant", name="Ann"),
        "mia": await make_user("client", name="Mia", coach=carl),
        "noah": await make_user("client", name="Noah", coach=dana),
    }
    listed = (await app.api.as_(olga).get("/clients", status=200)).data["items"]
    records = {client["name"].lower(): client["id"] for client in listed}
    ids = {f"{name}_user": user.id for name, user in people.items()} | records
    ids["random"] = "01a20772-1225-73e4-a6d8-513d962f6fde"
    return Practice(app, people, ids)
