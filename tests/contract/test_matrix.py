"""The matrix finds what is not as its tables say; else its silence would mean nothing."""

from copy import copy
from dataclasses import replace

import pytest

from tests.contract.rules import TABLES
from wellio.testing import Matrix, Rule, Rules, Sockets, World

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.sqlite("what is wrong here is in the tables"),
]
AUTH, PRACTICE, CHAT = TABLES[1:]
READ = Rule("GET /api/v1/clients/{id}", "owner carl mia", ids={"id": "client"})
MADE = Rule("POST /api/v1/clients", "", role="owner", body={"name": "{new}"})


def matrix(world: World, *tables: Rules) -> Matrix:
    """Return the matrix of other tables in the same world."""
    other = copy(world)
    other.tables = tables
    return Matrix(other)


async def test_what_is_left_out_or_untrue_is_a_gap(world: World) -> None:
    assert matrix(world, PRACTICE).gaps() == []
    assert matrix(world, replace(PRACTICE, rules=PRACTICE.rules[1:])).gaps() == [
        "endpoint GET /api/v1/practice is not in the table"
    ]
    one_more = Rule("GET /api/v1/nothing", "")
    assert matrix(world, replace(PRACTICE, rules=(*PRACTICE.rules, one_more))).gaps() == [
        "endpoint GET /api/v1/nothing is in the table alone"
    ]
    scopes = {**PRACTICE.scopes, "GET /api/v1/practice": "clients.read"}
    assert matrix(world, replace(PRACTICE, scopes=scopes)).gaps() == [
        "API key's scope GET /api/v1/practice: *, in the table clients.read"
    ]
    assert matrix(world, replace(CHAT, events=CHAT.events[1:])).gaps() == [
        "socket event send_message is not in the table"
    ]


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (replace(READ, yes="owner carl"), "mia: GET /api/v1/clients/{id} of carls: 200, (404,)"),
        (replace(READ, yes="owner carl mia dana"), "dana: GET /api/v1/clients/{id} of carls: 404"),
        (replace(READ, seen="max"), "max: GET /api/v1/clients/{id} of carls: 404, (403,)"),
        (replace(READ, role="owner carl mia"), "noah: GET /api/v1/clients/{id} of carls: 404"),
        (MADE, "POST /api/v1/clients of carls: what changes nothing publishes ['"),
    ],
)
async def test_each_wrong_cell_is_named(world: World, rule: Rule, wrong: str) -> None:
    assert await matrix(world, replace(PRACTICE, rules=(READ,))).requests() == []
    found = await matrix(world, replace(PRACTICE, rules=(rule,))).requests()
    assert [it for it in found if wrong in it], found


async def test_words_that_are_not_for_the_reader_are_found(world: World) -> None:
    other = copy(world)
    other.tables = (replace(PRACTICE, rules=(READ,)),)
    other.secrets = {"record-of-carls": {"owner"}}
    wrong = "carl: GET /api/v1/clients/{id} of carls: reads record-of-carls"
    assert wrong in await Matrix(other).requests()


async def test_a_wrong_event_is_named(world: World, shared_sockets: Sockets) -> None:
    typing = next(rule for rule in CHAT.events if rule.call == "typing")
    table = replace(CHAT, events=(replace(typing, yes="carl dana"),))
    other = matrix(world, table)
    found = await other.events(await other.connected(shared_sockets))
    assert "mia: typing of carls: 200, (404,)" in found
    assert "dana: typing of carls: 404, (200,)" in found
