"""An event names its object: what a class must say, and the audit row that goes with it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.core.events.conftest import Dropped, Node, Noted
from wellio.db.base import Database, Row, Tx
from wellio.errors import PluginError
from wellio.events.event import Event

pytestmark = pytest.mark.sqlite("tests/contract/test_audit.py has the rows on both")

MakeNode = Callable[..., Node]


class ThingEvent(Event):
    """About a client's thing; a base of others says nothing."""

    client_id: str
    thing_id: str


class ThingMoved(ThingEvent, name="thing.moved", about=("thing", "thing_id")):
    """A client's thing moved."""


class ClientMoved(Event, name="client.moved", about=("client", "client_id")):
    """A client moved; the field is the envelope's."""


@pytest.fixture
async def one(node: MakeNode) -> Node:
    """Return a node whose audit log has its keys."""
    one = node()
    one.bus.register(ThingMoved, ClientMoved)
    await one.audit.keys.open()
    return one


async def publish(one: Node, *events: Event, **row: Any) -> None:
    async def body(tx: Tx) -> None:
        await one.bus.publish(tx, *events, **row)

    await one.db.write(body)


async def rows(db: Database, table: str) -> list[Row]:
    return await db.fetch_all(f"SELECT * FROM {table} ORDER BY position")


@pytest.mark.parametrize(
    "given, said",
    [
        ({}, "thing.seen .Seen. does not name its object"),
        ({"about": "thing"}, "thing.seen .Seen.: about='thing' is neither"),
        ({"about": ("thing",)}, "about=.'thing',. is neither"),
        ({"about": ["thing", "id"]}, "is neither"),
        ({"about": ("thing", None)}, "is neither"),
        ({"about": ("A thing", "id")}, "is neither"),
        ({"about": ("thing", "thing_id")}, "thing.seen .Seen. is about 'thing_id', which is none"),
        ({"about": ("thing", "name")}, "is about 'name', which is none"),
    ],
)
def test_what_a_class_is_about_is_said_rightly_or_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(PluginError, match=said):
        type("Seen", (Event,), {"__doc__": "It was seen."}, name="thing.seen", **given)


@pytest.mark.parametrize("about", [None, ("thing", "id")])
def test_a_base_of_others_is_about_nothing(about: object) -> None:
    with pytest.raises(PluginError, match="Base: about= is for a class with a name="):
        type("Base", (Event,), {"__doc__": "A base."}, about=about)


def test_a_named_class_does_not_inherit_what_another_is_about() -> None:
    with pytest.raises(PluginError, match="does not name its object"):
        type("Fell", (ThingMoved,), {"__doc__": "It fell."}, name="thing.fell")


async def test_the_audit_row_is_written_with_the_event(db: Database, one: Node) -> None:
    moved = ThingMoved(client_id="c1", thing_id="t1", actor_id="olga")
    details = {"from": "here"}
    await publish(one, moved, subject_id="carl", note="to the left", details=details)
    [row] = await rows(db, "wellio_audit_pending")
    said = ("action", "object_kind", "object_id", "actor_id", "subject_id", "client_id", "note")
    assert [row[column] for column in said] == [
        *("thing.moved", "thing", "t1", "olga", "carl", "c1", "to the left")
    ]
    [detail] = await one.audit.details_of("carl")
    assert (detail["audit_id"], detail["details"]) == (row["id"], '{"from":"here"}')


async def test_several_events_have_a_row_each_and_some_have_none(db: Database, one: Node) -> None:
    moved = [ThingMoved(client_id="c1", thing_id=thing) for thing in ("a", "b")]
    await publish(one, moved[0], Noted(thing_id="n"), ClientMoved(client_id="c2"), moved[1])
    pending = await rows(db, "wellio_audit_pending")
    assert [(row["action"], row["object_id"], row["client_id"]) for row in pending] == [
        ("thing.moved", "a", "c1"),
        ("client.moved", "c2", "c2"),
        ("thing.moved", "b", "c1"),
    ]
    assert len(await rows(db, "wellio_event")) == 4


@pytest.mark.parametrize("row", [{"subject_id": "carl"}, {"note": "why"}, {"details": {"a": 1}}])
async def test_what_is_said_of_a_row_needs_exactly_one(
    db: Database, one: Node, row: dict[str, Any]
) -> None:
    two: list[Event] = [ThingMoved(client_id="c", thing_id=thing) for thing in "ab"]
    cases: list[tuple[list[Event], str]] = [
        (two, "one event at a time"),
        ([], "one event at a time"),
        ([Noted(thing_id="n")], "thing.noted has about=None"),
    ]
    for events, said in cases:
        with pytest.raises(PluginError, match=said):
            await publish(one, *events, **row)
    assert await rows(db, "wellio_event") == []


async def test_a_fact_is_nowhere_when_its_row_cannot_be_written(
    db: Database, node: MakeNode
) -> None:
    one, heard = node(), list[Event]()
    one.bus.register(ClientMoved)
    one.bus.subscribe(Event, heard.append)
    with pytest.raises(RuntimeError, match="keys"):  # which this log has not opened
        await publish(one, Dropped(thing_id="t"), ClientMoved(client_id="c"))
    assert (await rows(db, "wellio_event"), heard) == ([], [])


async def test_the_client_is_in_the_envelope_and_comes_back_from_it(
    db: Database, one: Node
) -> None:
    of_client = ThingMoved(client_id="c1", thing_id="t1", at=7)
    await publish(one, of_client, Noted(thing_id="n"), Dropped(client_id="c2", thing_id="d"))
    logged = await rows(db, "wellio_event")
    assert [(row["client_id"], row["payload"]) for row in logged] == [
        ("c1", '{"thing_id":"t1"}'),
        (None, '{"thing_id":"n"}'),
        ("c2", '{"thing_id":"d"}'),
    ]
    assert ThingMoved.from_row(logged[0]) == of_client
    await publish(one, of_client)
    assert (await rows(db, "wellio_event"))[-1]["client_id"] == "c1"  # written alone


async def test_a_parked_event_keeps_its_client(db: Database, one: Node) -> None:
    seen = list[Event]()

    async def handle(tx: Tx, event: Event) -> None:
        seen.append(event)
        raise LookupError

    one.bus.subscribe_durable("choking", ThingMoved, handle)
    await one.start()
    await publish(one, ThingMoved(client_id="c1", thing_id="t1"))
    await one.bus.settled()
    await one.bus.outbox.retry("choking")
    await one.bus.settled()
    assert [event.client_id for event in seen] == ["c1", "c1"]
    [parked] = await db.fetch_all("SELECT client_id FROM wellio_parked")
    assert parked["client_id"] == "c1"
