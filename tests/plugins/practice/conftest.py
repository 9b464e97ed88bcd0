"""A practice of two coaches with a client each, and everybody who should not see too much."""

from dataclasses import dataclass

import pytest

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
