"""Events: what a class must be, what is written when, and who hears of it live."""

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.core.events.conftest import START, Dropped, Node, Noted
from wellio.db.base import Database, Tx
from wellio.errors import PluginError
from wellio.events.event import Event

pytestmark = pytest.mark.sqlite("test_durable.py publishes on both")

MakeNode = Callable[..., Node]


async def log(db: Database) -> list[dict[str, Any]]:
    rows = await db.fetch_all(
        "SELECT id, name, at, actor_id, cause_id, payload FROM wellio_event ORDER BY xid, position"
    )
    return [dict(row) for row in rows]


@pytest.mark.parametrize(
    "name", ["created", "Thing.noted", "thing.", ".noted", "thing.noted.twice", "thing noted"]
)
def test_a_name_is_noun_and_past_tense(name: str) -> None:
    with pytest.raises(PluginError, match=r"noun\.past_tense"):
        type("Odd", (Event,), {"__doc__": "It happened."}, name=name)


def test_an_event_without_a_docstring_is_refused() -> None:
    with pytest.raises(PluginError, match="docstring"):

        class Silent(Event, name="thing.silenced", about=None):
            thing_id: str


def test_two_classes_with_one_name_are_refused(node: MakeNode) -> None:
    class Other(Event, name="thing.noted", about=None):
        """Somebody else's."""

    one = node()
    one.bus.register(Noted)  # the same class again is fine
    with pytest.raises(PluginError, match=r"thing\.noted is defined twice"):
        one.bus.register(Other)


def test_a_base_of_others_has_no_name_and_cannot_be_registered(node: MakeNode) -> None:
    class AboutThing(Event):
        """A base."""

        thing_id: str

    with pytest.raises(PluginError, match="AboutThing has no name"):
        node().bus.register(AboutThing)


async def test_an_unregistered_class_cannot_be_published(db: Database, node: MakeNode) -> None:
    class Stray(Event, name="thing.strayed", about=None):
        """Nobody registered it."""

    one = node()

    async def body(tx: Tx) -> None:
        await one.bus.publish(tx, Stray())

    with pytest.raises(PluginError, match="Stray is not registered"):
        await db.write(body)
    assert await log(db) == []


@pytest.mark.parametrize("count", [1, 3, 200])
async def test_events_are_logged_in_their_order_with_ids_only(
    db: Database, node: MakeNode, count: int
) -> None:
    await node().note(*(f"t{n}" for n in range(count)))
    rows = await log(db)
    assert [row["payload"] for row in rows] == [f'{{"thing_id":"t{n}"}}' for n in range(count)]
    assert {(row["name"], row["at"], row["actor_id"]) for row in rows} == {
        ("thing.noted", START, None)
    }


async def test_what_the_publisher_says_is_kept(db: Database, node: MakeNode) -> None:
    one = node()
    event = Noted(at=7, actor_id="u", cause_id="c", thing_id="t")

    async def body(tx: Tx) -> None:
        await one.bus.publish(tx, event)

    await db.write(body)
    [row] = await db.fetch_all("SELECT * FROM wellio_event")
    assert Noted.from_row(row) == event


async def test_live_subscribers_hear_after_the_commit_and_only_then(
    db: Database, node: MakeNode
) -> None:
    one, heard, before = node(), list[str](), list[list[str]]()
    one.bus.subscribe(Noted, lambda event: heard.append(event.thing_id))

    async def body(tx: Tx) -> None:
        await one.bus.publish(tx, Noted(thing_id="a"), Dropped(thing_id="-"), Noted(thing_id="b"))
        before.append(list(heard))

    await db.write(body)
    assert (before, heard) == ([[]], ["a", "b"])


async def test_a_rollback_publishes_nothing(db: Database, node: MakeNode) -> None:
    one, heard = node(), list[Event]()
    one.bus.subscribe(Event, heard.append)
    one.follow("follower")
    await one.start()

    async def body(tx: Tx) -> None:
        await one.bus.publish(tx, Noted(thing_id="a"))
        raise LookupError

    with pytest.raises(LookupError):
        await db.write(body)
    await one.bus.settled()
    assert (await log(db), heard) == ([], [])


async def test_a_subscriber_of_the_base_class_hears_all_with_the_time_filled_in(
    node: MakeNode,
) -> None:
    one, heard = node(), list[Event]()
    one.bus.subscribe(Event, heard.append)
    await one.note("a")
    await one.note("b", type_=Dropped)
    assert [(event.name, event.at) for event in heard] == [
        ("thing.noted", START),
        ("thing.dropped", START),
    ]


async def test_a_live_subscriber_that_raises_harms_nobody_and_tells_no_contents(
    node: MakeNode,
) -> None:
    one, heard = node(), list[str]()

    def fall(thing_id: str) -> None:
        raise LookupError(thing_id)

    def break_down(event: Noted) -> None:
        fall(event.thing_id)

    one.bus.subscribe(Noted, break_down)
    one.bus.subscribe(Noted, lambda event: heard.append(event.thing_id))
    with capture_logs() as logs:
        await one.note("secret")
    assert heard == ["secret"]
    [entry] = logs
    assert (entry["event"], entry["error"]) == ("live_subscriber_failed", "LookupError")
    first = break_down.__code__.co_firstlineno
    assert entry["plugin"] == "tests"
    assert [frame.rpartition(".")[2] for frame in entry["frames"]] == ["break_down", "fall"]
    assert entry["frames"][0].startswith(f"{__file__}:{first + 1} ")
    assert "secret" not in str(logs)


async def test_old_and_new_versions_of_a_class_read_each_others_events(
    db: Database, node: MakeNode
) -> None:
    class Newer(Event, name="thing.noted", about=None):
        """The same, one release later."""

        thing_id: str
        place_id: str | None = None

    class Older(Event, name="thing.noted", about=None):
        """The same, one release earlier."""

    await node().note("t")
    [row] = await db.fetch_all("SELECT * FROM wellio_event")
    newer = Newer.from_row(row)
    assert (newer.thing_id, newer.place_id, newer.at) == ("t", None, START)
    assert Older.from_row(row).id == newer.id
    with pytest.raises(ValueError, match="Extra inputs"):
        Older(thing_id="t")  # type: ignore[call-arg] # what a program writes is still checked


async def test_many_of_a_class_are_rows_and_heard_as_events(db: Database, node: MakeNode) -> None:
    one = node()
    heard: list[Noted] = []
    one.bus.subscribe(Noted, heard.append)

    async def body(tx: Tx) -> None:
        await one.bus.publish_many(
            tx, Noted, [(START, "a", "c", "t1"), (START + 1, None, None, "t2")]
        )

    await db.write(body)
    rows = await log(db)
    assert [(it["name"], it["at"], it["actor_id"], it["payload"]) for it in rows] == [
        ("thing.noted", START, "a", '{"thing_id":"t1"}'),
        ("thing.noted", START + 1, None, '{"thing_id":"t2"}'),
    ]
    assert [(it.id, it.at, it.actor_id, it.client_id, it.thing_id) for it in heard] == [
        (rows[0]["id"], START, "a", "c", "t1"),
        (rows[1]["id"], START + 1, None, None, "t2"),
    ]


async def test_many_of_an_audited_class_are_refused(db: Database, node: MakeNode) -> None:
    class Audited(Event, name="thing.audited", about=("thing", "thing_id")):
        """It needs a row of its own."""

        thing_id: str

    one = node()
    one.bus.register(Audited)

    async def body(tx: Tx) -> None:
        await one.bus.publish_many(tx, Audited, [(START, None, None, "t")])

    with pytest.raises(PluginError, match="is audited"):
        await db.write(body)
