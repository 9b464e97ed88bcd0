"""The append under load: exactly once, without gaps, one order for all; a bad item fails alone."""

import asyncio
from collections import Counter

from wellio_chat.messages.append import Draft
from wellio_chat.messages.batch import LocalIdReused
from wellio_chat.messages.models import Mark, NewMessage

from tests.plugins.chat.conftest import Practice
from wellio import Actor, Conflict, ConstraintViolation, Invalid, NotFound, Tx, new_id
from wellio.testing import Sockets


def actor(practice: Practice, name: str) -> Actor:
    user = practice.people[name]
    return Actor(user.id, user.role, None, frozenset({"chat.send"}))


async def test_concurrent_duplicates_are_stored_once(
    practice: Practice, shared_sockets: Sockets
) -> None:
    direct = await practice.direct("coach", "client")
    names = ("coach", "client")
    plain = {n: await shared_sockets.plain(practice.app.url, practice.people[n]) for n in names}

    async def by_socket(name: str, local_id: str) -> tuple[str, bool]:
        body = {"conversationId": direct, "content": local_id, "localId": local_id}
        answer = await plain[name].call("send_message", body)
        assert answer["ok"], answer
        return answer["message"]["id"], answer.get("duplicate", False)

    async def by_rest(name: str, local_id: str) -> tuple[str, bool]:
        sent = await practice.send(name, direct, local_id, localId=local_id)
        return sent["id"], sent.get("duplicate", False)

    sends = [
        (name, f"{name} {number % 25}", way)
        for number in range(50)
        for name in names
        for way in (by_socket, by_rest)
    ]
    answers = await asyncio.gather(*(way(name, local_id) for name, local_id, way in sends))
    stored = Counter(id_ for id_, is_duplicate in answers if not is_duplicate)
    assert len(stored) == 50
    assert set(stored.values()) == {1}
    ids = {local_id: set[str]() for _, local_id, _ in sends}
    for (_, local_id, _), (id_, _) in zip(sends, answers, strict=True):
        ids[local_id].add(id_)
    assert {len(found) for found in ids.values()} == {1}
    orders = []
    for name in names:
        path = f"/conversations/{direct}/messages"
        page = (await practice.api(name).get(path, query={"afterSeq": 0, "limit": 100})).data
        orders.append([(m["seq"], m["id"]) for m in page["items"]])
        assert [seq for seq, _ in orders[-1]] == list(range(1, 51))
        log = await practice.events(name, direct)
        assert [e["eventSeq"] for e in log] == list(range(1, 52))
        assert [e["data"]["id"] for e in log[1:]] == [id_ for _, id_ in orders[-1]]
    assert orders[0] == orders[1]


async def test_a_bad_item_fails_alone(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    elsewhere = await practice.direct("coach", "owner")
    foreign = await practice.send("coach", elsewhere, "There")
    coach, client, stranger = (actor(practice, n) for n in ("coach", "client", "stranger"))

    async def send(who: Actor, content: str, **rest: str) -> int | type[Exception]:
        message = NewMessage.model_validate({"content": content, **rest})
        try:
            return int((await practice.messages.send(who, direct, message)).message["seq"])
        except (Conflict, Invalid, NotFound) as problem:
            return type(problem)

    sends = []
    for number in range(10):
        sends += [
            send(coach, "good", localId=f"a{number}"),
            send(coach, "other", localId=f"a{number}"),
            send(stranger, "no"),
            send(client, "lost", replyTo=foreign["id"]),
            send(client, "good"),
            send(coach, "good", localId=f"a{number}"),
        ]
    results = await asyncio.gather(*sends)
    assert results == [
        result
        for n in range(10)
        for result in (2 * n + 1, LocalIdReused, NotFound, Invalid, 2 * n + 2, 2 * n + 1)
    ]


async def test_a_batch_that_fails_in_its_middle_leaves_no_gap(practice: Practice) -> None:
    """What was numbered after the bad one is numbered again; what came before, too."""
    direct = await practice.direct("coach", "client")
    there = (await practice.send("coach", direct, "first"))["id"]
    db, append = practice.app.app.db, practice.messages._append  # noqa: SLF001 - the batch's body

    def draft(id_: str) -> Draft:
        rest = ("text", "x", None, None, None, None, 1, None, None)
        return Draft(id_, direct, practice.ids["coach"], *rest)

    ids = [there if n % 5 == 2 else new_id() for n in range(20)]
    answers = await asyncio.gather(
        *(db.write_batched(append, draft(id_)) for id_ in ids), return_exceptions=True
    )
    bad = {type(it) for it, id_ in zip(answers, ids, strict=True) if id_ == there}
    assert bad == {ConstraintViolation}
    log = await practice.events("client", direct)
    assert [entry["eventSeq"] for entry in log] == list(range(1, 19))
    good = [id_ for id_ in ids if id_ != there]
    assert [entry["data"]["id"] for entry in log[2:]] == good
    page = await practice.catch_up.sync(actor(practice, "client"), None)
    assert [entry.event_seq for entry in page.entries] == list(range(1, 19))


async def test_who_waited_for_a_conversation_sees_its_numbers(practice: Practice) -> None:
    """On Postgres each of these has a transaction of its own, begun before the others ended."""
    direct = await practice.direct("coach", "client")
    db, append = practice.app.app.db, practice.messages._append  # noqa: SLF001 - the batch's body

    async def alone(tx: Tx, sender: str) -> int:
        rest = ("text", "x", None, None, None, None, 1, None, None)
        [sent] = await append(tx, [Draft(new_id(), direct, practice.ids[sender], *rest)])
        assert not isinstance(sent, Exception)
        return int(sent.message["seq"])

    first = (await practice.send("coach", direct, "first"))["id"]
    mark, client = Mark(message_id=first), actor(practice, "client")
    sends = [db.write(alone, name) for _ in range(20) for name in ("coach", "client")]
    others = [
        practice.messages.mark(client, direct, mark, is_read=False),
        practice.messages.mark(client, direct, mark, is_read=True),
        practice.messages.delete(actor(practice, "coach"), first),
    ]
    numbers, *_ = await asyncio.gather(asyncio.gather(*sends), *others)
    assert sorted(numbers) == list(range(2, 42))
    log = await practice.events("client", direct)
    assert [entry["eventSeq"] for entry in log] == list(range(1, len(log) + 1))
    page = await practice.catch_up.sync(actor(practice, "client"), None)
    assert [entry.event_seq for entry in page.entries] == list(range(1, len(log) + 1))
