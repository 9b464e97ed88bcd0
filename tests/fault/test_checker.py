"""The checker finds each kind of fault in small histories, and nothing in clean ones."""

from pathlib import Path

import pytest

from tests.fault.checker import Run, check
from tests.fault.history import History, Message, Record, read

ROOM, ANN, BEN = "room", "ann", "ben"
M1 = Message(ROOM, ANN, "a-1", "id1", 1, "h1")
M2 = Message(ROOM, ANN, "a-2", "id2", 2, "h2")
M3 = Message(ROOM, BEN, "b-1", "id3", 3, "h3")


def record(op: str, at: float, who: str = ANN, **fields: object) -> Record:
    return {"op": op, "at": at, "who": who, **fields}


def send(at: float, m: Message, via: str = "rest") -> Record:
    return record("send", at, m.sender, key=list(m.key), hash=m.hash, via=via)


def ok(at: float, m: Message, *, duplicate: bool = False) -> Record:
    return record("ok", at, m.sender, message=list(m), duplicate=duplicate)


def info(at: float, m: Message) -> Record:
    return record("info", at, m.sender, key=list(m.key), reason="lost")


def fail(at: float, m: Message) -> Record:
    return record("fail", at, m.sender, key=list(m.key), reason="409")


def subscribed(at: float, connection: int = 1) -> Record:
    return record("subscribed", at, "eve", user="eve", connection=connection, conversations=[ROOM])


def live(at: float, m: Message, connection: int = 1) -> Record:
    return record("live", at, "eve", connection=connection, message=list(m))


def dropped(at: float, connection: int = 1) -> Record:
    return record("dropped", at, "eve", connection=connection)


def caught_up(at: float, *messages: Message, connection: int = 1) -> Record:
    return record(
        "caught_up", at, "eve", connection=connection, messages=[list(m) for m in messages]
    )


def reading(*messages: Message, events: list[int] | None = None, who: str = "owner") -> Record:
    return record(
        "reading", 99, who, conversation=ROOM, messages=[list(m) for m in messages], events=events
    )


READ = [reading(M1, M2, M3), reading(M1, M2, M3, events=[1, 2, 3, 4], who="log")]
SENT = [send(1, M1), ok(2, M1), send(3, M2), ok(4, M2), send(5, M3, "socket"), ok(6, M3)]
SEEN = [subscribed(0), *SENT, live(7, M1), live(8, M2), live(9, M3)]

CLEAN: dict[str, list[Record]] = {
    "everything arrived": [*SEEN, *READ],
    "a lost answer, and the same send again": [
        *(send(1, M1), info(2, M1), send(3, M1, "socket"), ok(4, M1, duplicate=True)),
        reading(M1),
    ],
    "a lost answer, and nothing was stored": [send(1, M1), info(2, M1), reading()],
    "refused, but an earlier try got through": [
        *(send(1, M1), info(2, M1), send(3, M1), fail(4, M1)),
        reading(M1),
    ],
    "refused and not there": [send(1, M1), fail(2, M1), reading()],
    "two at once, numbered the other way round": [
        *(send(1, M2), send(2, M1), ok(3, M2), ok(4, M1)),
        reading(M1, M2),
    ],
    "missed while it was away, and caught up": [
        *(subscribed(0), send(1, M1), ok(2, M1), live(2, M1), dropped(3), send(4, M2), ok(5, M2)),
        *(subscribed(6, 2), caught_up(7, M2, connection=2), send(8, M3), ok(9, M3)),
        *(live(9, M3, 2), reading(M1, M2, M3)),
    ],
    "its own, which its socket is not told of": [
        record("subscribed", 0, BEN, user=BEN, connection=1, conversations=[ROOM]),
        *(send(1, M1), ok(2, M1), record("live", 2, BEN, connection=1, message=list(M1))),
        *(send(3, M2), ok(4, M2), record("live", 4, BEN, connection=1, message=list(M2))),
        *(send(5, M3, "socket"), ok(6, M3), *READ),
    ],
}

FAULTY: dict[str, tuple[str, list[Record]]] = {
    "acknowledged and gone": ("lost", [*SENT, reading(M1, M2)]),
    "acknowledged as another one than is stored": (
        "lost",
        [send(1, M1), ok(2, M1), reading(M1._replace(id="id9"))],
    ),
    "stored twice": ("dup", [send(1, M1), reading(M1, M1._replace(id="id9", seq=2))]),
    "answered as new twice": ("dup", [send(1, M1), ok(2, M1), ok(3, M1), reading(M1)]),
    "never sent": ("phantom", [reading(M1)]),
    "refused, and yet there": ("phantom", [send(1, M1), fail(2, M1), reading(M1)]),
    "seen, and gone": (
        "phantom",
        [send(1, M1), info(2, M1), subscribed(0), live(2, M1), reading()],
    ),
    "other content than was sent": ("corrupt", [send(1, M1), reading(M1._replace(hash="h9"))]),
    "other content than was shown": (
        "corrupt",
        [send(1, M1), subscribed(0), live(2, M1._replace(hash="h9")), reading(M1)],
    ),
    "a gap in seq": ("order", [send(1, M1), send(1, M3), reading(M1, M3)]),
    "a first seq that is not 1": ("order", [send(1, M2), reading(M2)]),
    "a reversal": ("order", [send(1, M1), send(1, M2), reading(M2, M1)]),
    "a gap in eventSeq": ("order", [send(1, M1), reading(M1, events=[1, 3])]),
    "readers that disagree": ("order", [*SENT, reading(M1, M2, M3), reading(M1, M2)]),
    "renumbered since it was acknowledged": (
        "order",
        [send(1, M1), ok(2, M1._replace(seq=2)), reading(M1)],
    ),
    "below one that was acknowledged before": (
        "order",
        [send(1, M2), ok(2, M2), send(3, M1), ok(4, M1), reading(M1, M2)],
    ),
    "missed in between": ("recv", [*SEEN[:-2], live(9, M3), caught_up(10, M2), *READ]),
    "missed at the end": ("recv", [*SEEN[:-1], caught_up(10, M3), *READ]),
    "received in another order": ("recv", [*SEEN[:-2], live(8, M3), live(9, M2), *READ]),
    "received twice": ("recv", [*SEEN, live(10, M3), *READ]),
    "neither received nor caught up": ("recv", [*SEEN[:-1], dropped(10), *READ]),
}


@pytest.mark.parametrize("records", CLEAN.values(), ids=CLEAN)
def test_a_clean_history_has_no_fault(records: list[Record]) -> None:
    assert check(Run(records)) == []


@pytest.mark.parametrize("kind, records", FAULTY.values(), ids=FAULTY)
def test_a_fault_is_found(kind: str, records: list[Record]) -> None:
    assert {fault.kind for fault in check(Run(records))} == {kind}


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    with History(tmp_path / "history.jsonl") as history:
        history.write("send", ANN, key=M1.key, hash=M1.hash, via="rest")
        history.write("ok", ANN, message=M1, duplicate=False)
        history.write("reading", "owner", conversation=ROOM, messages=[M1], events=[1])
    run = Run(read(history.path))
    assert run.acknowledged == {M1.key}
    assert run.stored == {M1.id: M1}
    assert check(run) == []
