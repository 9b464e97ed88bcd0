"""Who looks after a client has a role and a time: nothing of the history is ever deleted."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from wellio_auth.personal_data import AccountData
from wellio_practice.personal_data import PracticeData

from wellio import Row
from wellio.testing import MakeUser, StartApp, TestApp, User

_TEAM = """
SELECT user_id, role, until_at IS NULL AS is_open, ended_by FROM practice_assignment
WHERE client_id = :id ORDER BY from_at, id
"""


class World:
    """A server with an owner and three coaches; each test makes its own client."""

    def __init__(self, app: TestApp, owner: User, coaches: list[User]) -> None:
        self.app, self.coaches = app, coaches
        self.owner, self.api = owner, app.api.as_(owner)

    async def client(self) -> str:
        made = await self.api.post("/clients", {"name": "Somebody"}, status=201)
        return str(made.data["id"])

    async def assign(self, client: str, coach: User) -> None:
        await self.api.put(f"/clients/{client}/coaches/{coach.id}", status=204)

    async def unassign(self, client: str, coach: User) -> None:
        await self.api.delete(f"/clients/{client}/coaches/{coach.id}", status=204)

    async def rows(self, client: str) -> list[Row]:
        return await self.app.app.db.fetch_all(_TEAM, id=client)

    async def team(self, client: str) -> list[tuple[str, str, bool]]:
        """Return whose row it is, as what, and whether it is open, the oldest first."""
        names = {coach.id: coach.name for coach in self.coaches}
        rows = await self.rows(client)
        return [(names[row["user_id"]], row["role"], bool(row["is_open"])) for row in rows]

    async def shown(self, client: str) -> list[str]:
        found: dict[str, Any] = (await self.api.get(f"/clients/{client}", status=200)).data
        return [coach["name"] for coach in found["coaches"]]

    async def primary(self, client: str) -> str | None:
        sql = "SELECT primary_coach_id FROM practice_v_client WHERE id = :id"
        row = await self.app.app.db.fetch_one(sql, id=client)
        assert row is not None
        return next((it.name for it in self.coaches if it.id == row["primary_coach_id"]), None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(shared_app: StartApp, shared_user: MakeUser) -> World:
    app = await shared_app()
    owner = await shared_user("owner", name="Olga")
    coaches = [await shared_user("coach", name=name) for name in ("Abe", "Bo", "Cy")]
    return World(app, owner, coaches)


async def test_who_comes_back_has_a_second_row(world: World) -> None:
    client, (abe, *_) = await world.client(), world.coaches
    await world.assign(client, abe)
    await world.assign(client, abe)
    assert await world.team(client) == [("Abe", "primary", True)]
    await world.unassign(client, abe)
    await world.unassign(client, abe)
    assert await world.team(client) == [("Abe", "primary", False)]
    assert [row["ended_by"] for row in await world.rows(client)] == [world.owner.id]
    assert await world.shown(client) == []
    await world.app.api.as_(abe).get(f"/clients/{client}", status=404)
    await world.assign(client, abe)
    assert await world.team(client) == [("Abe", "primary", False), ("Abe", "primary", True)]
    await world.app.api.as_(abe).get(f"/clients/{client}", status=200)


async def test_the_first_is_primary_and_hands_on_to_who_is_there_longest(world: World) -> None:
    client, (abe, bo, cy) = await world.client(), world.coaches
    assert await world.primary(client) is None
    for coach in (abe, bo, cy):
        await world.assign(client, coach)
    assert await world.shown(client) == ["Abe", "Bo", "Cy"]
    assert await world.primary(client) == "Abe"
    await world.unassign(client, abe)
    assert await world.shown(client) == ["Bo", "Cy"]
    assert await world.primary(client) == "Bo"
    assert await world.team(client) == [
        ("Abe", "primary", False),
        ("Bo", "coach", False),
        ("Cy", "coach", True),
        ("Bo", "primary", True),
    ]
    await world.assign(client, abe)
    await world.unassign(client, cy)
    assert await world.shown(client) == ["Bo", "Abe"]


async def test_nobody_becomes_primary_whose_account_does_not_work(
    world: World, shared_user: MakeUser
) -> None:
    client, (abe, bo, _) = await world.client(), world.coaches
    out = await shared_user("coach", name="Out")
    for coach in (abe, out, bo):
        await world.assign(client, coach)
    await world.api.patch(f"/users/{out.id}", {"status": "disabled"}, status=200)
    await world.unassign(client, abe)
    assert await world.primary(client) == "Bo"


async def test_of_coaches_who_are_given_at_once_the_first_is_primary(world: World) -> None:
    ids = [coach.id for coach in reversed(world.coaches)]
    made = await world.api.post("/clients", {"name": "New", "coachIds": ids}, status=201)
    assert [coach["id"] for coach in made.data["coaches"]] == ids
    assert await world.primary(made.data["id"]) == "Cy"


@pytest.mark.parametrize("turn", range(3))
async def test_a_race_leaves_one_primary_and_one_row_for_each(world: World, turn: int) -> None:
    client = await world.client()
    order = world.coaches[turn:] + world.coaches[:turn]
    await asyncio.gather(*(world.assign(client, coach) for coach in (order * 3)[:8]))
    team = await world.team(client)
    assert sorted(name for name, _, _ in team) == ["Abe", "Bo", "Cy"]
    assert sorted(role for _, role, _ in team) == ["coach", "coach", "primary"]
    await asyncio.gather(*(world.unassign(client, coach) for coach in order[:2]))
    still = [role for _, role, is_open in await world.team(client) if is_open]
    assert still == ["primary"]


async def test_who_is_erased_hands_on_too(world: World, shared_user: MakeUser) -> None:
    gone, (abe, *_) = await shared_user("coach", name="Gone"), world.coaches
    alone, shared = await world.client(), await world.client()
    for client in (alone, shared):
        await world.assign(client, gone)
    await world.assign(shared, abe)
    await world.app.erase(gone.id)
    assert await world.shown(alone) == []
    assert await world.shown(shared) == ["Abe"]
    assert await world.primary(shared) == "Abe"
    assert [bool(row["is_open"]) for row in await world.rows(alone)] == [False]


async def test_who_is_assigned_while_being_erased_is_shown_nowhere(
    world: World, shared_user: MakeUser
) -> None:
    """Each plugin erases in a transaction of its own, auth's after ours: this comes between."""
    gone, client, app = await shared_user("coach", name="Gone"), await world.client(), world.app.app
    await app.db.write(PracticeData(app).erase, gone.id)
    await world.assign(client, gone)
    await app.db.write(AccountData(app).erase, gone.id)
    assert await world.shown(client) == []
