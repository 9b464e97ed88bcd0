"""Who may do what with wins: everybody is tried, with everybody's wins, on both engines."""

import pytest_asyncio

from wellio import ManualClock
from wellio.testing import Matrix, Rule, Rules, Sockets, StartApp, Thing, World
from wellio.testing.rules import CHATTING
from wellio.testing.world import CLIENTS

CLIENT = "/api/v1/clients/{id}"
OF_CLIENT = {"id": "client"}
WIN_PATH = f"{CLIENT}/wins/{{winId}}"
OF_WIN = OF_CLIENT | {"winId": "win"}
WIN = {"text": "win-of-{half}"}


async def pictured(world: World, side: str) -> str:
    """Make a win with a picture."""
    path = await world.fill("/clients/{client}/wins", side)
    author = world.api(CLIENTS[side])
    made = await author.post(path, {"text": f"win-of-{side}"}, status=201)
    await author.put(f"{path}/{made.data['id']}/picture", content=b"...", status=204)
    return str(made.data["id"])


#: Mia is Carl's client, Noah Dana's; an assistant has no part in wins.
RULES = Rules(
    "hello",
    rules=(
        Rule(f"GET {CLIENT}/wins", "owner carl mia", role=CHATTING, ids=OF_CLIENT),
        Rule(f"POST {CLIENT}/wins", "owner carl mia", 201, role=CHATTING, ids=OF_CLIENT, body=WIN),
        Rule(
            f"DELETE {WIN_PATH}",
            "mia",
            204,
            seen="owner carl",
            role=CHATTING,
            ids=OF_WIN,
            uses_up="win",
        ),
        Rule(f"GET {WIN_PATH}", "owner carl mia", role=CHATTING, ids=OF_WIN),
        Rule(f"PATCH {WIN_PATH}", "mia", seen="owner carl", role=CHATTING, ids=OF_WIN, body=WIN),
        Rule(
            f"POST {WIN_PATH}/share",
            "carl mia",
            204,
            role=CHATTING,
            ids=OF_WIN,
            body={"conversationId": "{talk}"},
            scope="chat.send",
        ),
        Rule(f"PUT {WIN_PATH}/picture", "mia", 204, seen="owner carl", role=CHATTING, ids=OF_WIN),
        Rule(
            f"GET {WIN_PATH}/picture",
            "owner carl mia",
            role=CHATTING,
            ids=OF_CLIENT | {"winId": "pictured"},
        ),
        Rule(f"GET {CLIENT}/win-count", "owner carl mia", role=CHATTING, ids=OF_CLIENT),
    ),
    events=(
        Rule("note_win", "owner carl mia", role=CHATTING, body=WIN | {"clientId": "{client}"}),
    ),
    scopes={
        f"GET {CLIENT}/wins": "hello.read",
        f"GET {CLIENT}/win-count": "hello.read",
        f"POST {CLIENT}/wins": "hello.note",
        f"GET {WIN_PATH}": "hello.read",
        f"PATCH {WIN_PATH}": "hello.note",
        f"DELETE {WIN_PATH}": "hello.note",
        f"POST {WIN_PATH}/share": "hello.note",
        f"PUT {WIN_PATH}/picture": "hello.note",
        f"GET {WIN_PATH}/picture": "hello.read",
        "note_win": "hello.note",
    },
    things={
        "win": Thing("/clients/{client}/wins", WIN, gone="/clients/{client}/wins", by="client"),
        "pictured": Thing(make=pictured),
        "talk": Thing("/conversations", {"kind": "direct", "memberIds": ["{member}"]}),
    },
    secrets={"win-of-carls": {"owner", "carl", "mia"}, "win-of-danas": {"owner", "dana", "noah"}},
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def matrix(shared_app: StartApp) -> Matrix:
    clock = ManualClock(1_790_582_400_000)
    return await Matrix.of(await shared_app(clock=clock), clock, RULES)


async def test_the_table_is_complete(matrix: Matrix) -> None:
    assert matrix.gaps() == []
    assert matrix.size() > 300


async def test_every_request_of_everybody(matrix: Matrix) -> None:
    assert await matrix.requests() == []


async def test_every_event_of_everybody(matrix: Matrix, shared_sockets: Sockets) -> None:
    assert await matrix.events(await matrix.connected(shared_sockets)) == []
