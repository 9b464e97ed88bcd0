"""Keeps the client records of the demo, as a careful assistant and the coaches do."""

from datetime import date
from typing import Final

from wellio_practice.ports import (
    ClientChange,
    ClientQuery,
    KeepClients,
    KeepSettings,
    KeepTags,
    NewTag,
    PracticeChange,
)

from wellio import Demo, DemoPerson, IfMatch

from .stories import LIFECYCLES, phases

NAME: Final = "Harbour Street Coaching (demo)"
TAGS: Final = (
    "Early bird",
    "Evenings only",
    "Group",
    "On site",
    "Pays yearly",
    "Referred us others",
    "Shift work",
    "Video calls",
)
SOURCES: Final = (
    "Recommended by a friend",
    "Found us on the web",
    "Talk at the library",
    "Health insurance's list",
    "The running club",
    "Saw the sign at the door",
)
_MINUTE_MS: Final = 60_000
#: When so much of the time has passed, a coach works less and hands some clients over.
_HANDOVER_AFTER: Final = 0.62
_HANDED_OVER: Final = 3


class RecordsDemo:
    """Settings, tags, records that are kept up to date, and a hand-over between coaches."""

    def __init__(self, settings: KeepSettings, tags: KeepTags, clients: KeepClients) -> None:
        self._settings, self._tags, self._clients = settings, tags, clients
        self._tag_ids: dict[str, str] = {}

    async def obstacle(self) -> str | None:
        """Return nothing: without accounts there are no records of anybody."""
        return None

    def plan(self, demo: Demo) -> None:
        """Plan the records of all clients, and tell other parts how the clients fare."""
        [owner] = demo.having("owner")
        demo.at(owner.joins_at + 4 * _MINUTE_MS, self._set_up, demo, owner)
        by_key = {person.key: person for person in demo.people}
        for client in demo.having("client"):
            coach = by_key[client.facts["coach"]]
            demo.at(client.joins_at + 12 * _MINUTE_MS, self._describe, demo, owner, client)
            client.facts["phases"] = phases(demo, client)
            states = [LIFECYCLES.get(phase, "active") for phase, _ in client.facts["phases"]]
            for n, (_, at) in enumerate(client.facts["phases"]):
                if n and states[n] != states[n - 1]:
                    noticed_at = at + 90 * _MINUTE_MS
                    demo.at(noticed_at, self._change, demo, coach, client, states[n])
        self._plan_handover(demo, owner)

    def _plan_handover(self, demo: Demo, owner: DemoPerson) -> None:
        coaches = demo.having("coach")
        if len(coaches) < 2:
            return
        giver, taker = coaches[len(coaches) // 2], coaches[0]
        day = int(demo.size.days * _HANDOVER_AFTER)
        own = [it for it in demo.having("client") if it.facts["coach"] == giver.key]
        known = [it for it in own if it.joins_at < demo.moment(day - 1, 0)]
        for n, client in enumerate(known[:_HANDED_OVER]):
            at = demo.moment(day, 10 + n / 4)
            client.facts |= {"next_coach": taker.key, "handover_at": at}
            demo.at(at, self._hand_over, demo, owner, client, giver, taker)

    async def _set_up(self, demo: Demo, owner: DemoPerson) -> None:
        change = PracticeChange(name=NAME, time_zone="Europe/Dublin", currency="EUR", locale="en")
        await self._settings.change(demo.actor(owner), change, IfMatch())
        for name in TAGS:
            tag = await self._tags.create(demo.actor(owner), NewTag(name=name))
            self._tag_ids[name] = tag["id"]

    async def _describe(self, demo: Demo, owner: DemoPerson, client: DemoPerson) -> None:
        """Write down what a first call brought."""
        chance = demo.random("practice", "record", client.key)
        actor = demo.actor(owner)
        found = await self._clients.search(actor, ClientQuery(q=client.email))
        client.facts["client_id"] = client_id = found.rows[0].row["id"]
        born = date(client.facts["born"], chance.randint(1, 12), chance.randint(1, 28))
        change = ClientChange(
            phone=f"+353 20 910 {chance.randrange(10_000):04}",  # a range for fiction (ComReg)
            date_of_birth=born,
            time_zone="Europe/Dublin",
            locale="en",
            source=chance.choice(SOURCES),
            metadata={
                "works as": client.facts["job"],
                "comes for": client.facts["theme"],
                "likes": client.facts["place"],
                "gets in the way": client.facts["snag"],
            },
        )
        await self._clients.change(actor, client_id, change, IfMatch())
        for name in sorted(chance.sample(TAGS, chance.randint(0, 3))):
            await self._clients.tag(actor, client_id, self._tag_ids[name])

    async def _change(
        self, demo: Demo, coach: DemoPerson, client: DemoPerson, lifecycle: str
    ) -> None:
        change = ClientChange.model_validate({"lifecycle": lifecycle})
        client_id = client.facts["client_id"]
        await self._clients.change(demo.actor(coach), client_id, change, IfMatch())

    async def _hand_over(
        self,
        demo: Demo,
        owner: DemoPerson,
        client: DemoPerson,
        giver: DemoPerson,
        taker: DemoPerson,
    ) -> None:
        actor, client_id = demo.actor(owner), client.facts["client_id"]
        await self._clients.assign(actor, client_id, taker.user_id)
        await self._clients.unassign(actor, client_id, giver.user_id)
