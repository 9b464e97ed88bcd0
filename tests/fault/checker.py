"""Says what a history proves against the server: six kinds of faults, or none.

`lost`     acknowledged, and not there as it was acknowledged
`dup`      one localId, several messages
`phantom`  there, or seen by somebody, though never sent, refused, or gone since
`corrupt`  another content than was sent
`order`    a gap or a reversal in seq or eventSeq, readers that disagree, or a message numbered
           below one that was acknowledged before it was sent
`recv`     a client that stayed subscribed missed a message or got it out of order, or one that
           caught up after every break does not have them all

`python -m tests.fault.checker history.jsonl` checks a file again.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.fault.history import Key, Message, Record, read

KINDS: Final = ("lost", "dup", "phantom", "corrupt", "order", "recv")


class Fault(NamedTuple):
    """One thing that must not be."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Send:
    """A message that a client sent, maybe several times."""

    at: float
    hash: str
    vias: set[str]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message that somebody was shown while the server ran."""

    at: float
    who: str
    how: str  # "ok", "live" or "caught_up"
    connection: int | None
    message: Message
    is_duplicate: bool = False


@dataclass(slots=True)
class Connection:
    """One socket from its subscription to its end, or to that of the run."""

    who: str
    user: str
    conversations: list[str]
    subscribed_at: float
    has_dropped: bool = False
    live: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """A conversation as one reader found it in the end."""

    reader: str
    messages: list[Message]
    events: list[int] | None


class Run:
    """A history, sorted by what it tells of."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.sends: dict[Key, Send] = {}
        self.refused: set[Key] = set()
        self.uncertain: set[Key] = set()
        self.sightings: list[Sighting] = []
        self.connections: dict[int, Connection] = {}
        self.readings: dict[str, list[Reading]] = defaultdict(list)
        self.counts: Counter[str] = Counter()
        self.ready_s: list[float] = []
        for record in records:
            self.counts[record["op"]] += 1
            getattr(self, f"_take_{record['op']}")(record)

    @cached_property
    def stored(self) -> dict[str, Message]:
        """Return the messages by id, as the first reader of each conversation found them."""
        return {m.id: m for readings in self.readings.values() for m in readings[0].messages}

    @property
    def acknowledged(self) -> set[Key]:
        """Return the sends that were acknowledged."""
        return {seen.message.key for seen in self.sightings if seen.how == "ok"}

    def _take_send(self, record: Record) -> None:
        send = self.sends.setdefault(Key(*record["key"]), Send(record["at"], record["hash"], set()))
        send.vias.add(record["via"])

    def _take_ok(self, record: Record) -> None:
        self._see(record, record["message"], is_duplicate=record["duplicate"])

    def _take_fail(self, record: Record) -> None:
        self.refused.add(Key(*record["key"]))

    def _take_info(self, record: Record) -> None:
        self.uncertain.add(Key(*record["key"]))

    def _take_subscribed(self, record: Record) -> None:
        self.connections[record["connection"]] = Connection(
            record["who"], record["user"], record["conversations"], record["at"]
        )

    def _take_live(self, record: Record) -> None:
        self._see(record, record["message"])
        self.connections[record["connection"]].live.append(Message(*record["message"]))

    def _take_caught_up(self, record: Record) -> None:
        for message in record["messages"]:
            self._see(record, message)

    def _take_dropped(self, record: Record) -> None:
        self.connections[record["connection"]].has_dropped = True

    def _take_kill(self, record: Record) -> None:
        """Learn nothing: clients notice by themselves."""

    def _take_ready(self, record: Record) -> None:
        self.ready_s.append(record["seconds"])

    def _take_reading(self, record: Record) -> None:
        messages = [Message(*message) for message in record["messages"]]
        self.readings[record["conversation"]].append(
            Reading(record["who"], messages, record["events"])
        )

    def _see(self, record: Record, message: list[Any], *, is_duplicate: bool = False) -> None:
        self.sightings.append(
            Sighting(
                record["at"],
                record["who"],
                record["op"],
                record.get("connection"),
                Message(*message),
                is_duplicate,
            )
        )


def check(run: Run) -> list[Fault]:
    """Return every fault that a run shows."""
    return [
        *_contents(run),
        *_sightings(run),
        *_firsts(run),
        *_numbers(run),
        *_precedence(run),
        *_subscriptions(run),
        *_completeness(run),
    ]


def _contents(run: Run) -> Iterator[Fault]:
    """Compare what is stored with what was sent."""
    seen: dict[Key, str] = {}
    for message in run.stored.values():
        send = run.sends.get(message.key)
        if send is None:
            yield Fault("phantom", f"{message} was never sent")
        elif message.key in run.refused - run.uncertain:
            yield Fault("phantom", f"{message} was refused")
        elif send.hash != message.hash:
            yield Fault("corrupt", f"{message} was sent with {send.hash}")
        if seen.setdefault(message.key, message.id) != message.id:
            yield Fault("dup", f"{message} is stored as {seen[message.key]} too")


def _sightings(run: Run) -> Iterator[Fault]:
    """Compare what clients were shown with what is stored in the end."""
    for seen in run.sightings:
        message, stored = seen.message, run.stored.get(seen.message.id)
        if stored is None:
            kind = "lost" if seen.how == "ok" else "phantom"
            yield Fault(kind, f"{message} ({seen.how} to {seen.who}) is not there")
        elif stored.seq != message.seq:
            yield Fault("order", f"{message} ({seen.how} to {seen.who}) has seq {stored.seq} now")
        elif stored != message:
            yield Fault("corrupt", f"{message} ({seen.how} to {seen.who}) is {stored} now")


def _firsts(run: Run) -> Iterator[Fault]:
    """A send may be answered as new only once."""
    answers = Counter(s.message.key for s in run.sightings if s.how == "ok" and not s.is_duplicate)
    for key, count in answers.items():
        if count > 1:
            yield Fault("dup", f"{key} was answered as new {count} times")


def _numbers(run: Run) -> Iterator[Fault]:
    """The numbers of every reading count up from 1, and all readings are the same."""
    for conversation, readings in run.readings.items():
        for reading in readings:
            place = f"{conversation} as {reading.reader} read it"
            yield from _counts_up([m.seq for m in reading.messages], "seq", place)
            yield from _counts_up(reading.events or [], "eventSeq", place)
            if reading.messages != readings[0].messages:
                yield Fault("order", f"{place} differs from what {readings[0].reader} read")


def _counts_up(numbers: list[int], name: str, place: str) -> Iterator[Fault]:
    for before, after in pairwise([0, *numbers]):
        if after != before + 1:
            yield Fault("order", f"{place}: {name} {after} follows {before}")


def _precedence(run: Run) -> Iterator[Fault]:
    """What was sent after an acknowledgement stands below what was acknowledged."""
    moments: list[tuple[float, int, Key, int]] = [
        (send.at, 1, key, 0) for key, send in run.sends.items()
    ]
    moments += [(s.at, 0, s.message.key, s.message.seq) for s in run.sightings if s.how == "ok"]
    top: dict[str, int] = defaultdict(int)
    floors: dict[Key, int] = {}
    for _, is_send, key, seq in sorted(moments):
        if is_send:
            floors[key] = top[key.conversation]
        else:
            top[key.conversation] = max(top[key.conversation], seq)
    for message in run.stored.values():
        if message.seq <= floors.get(message.key, 0):
            yield Fault("order", f"{message}: seq {floors[message.key]} was known when it was sent")


def _subscriptions(run: Run) -> Iterator[Fault]:
    """While a socket is open it receives every message once, in the order of seq.

    A socket is not told of what was sent through it, so its user's own messages may be missing.
    What was stored between a client's catch-up and its subscription is for `_completeness`.
    """
    for number, connection in run.connections.items():
        for conversation in connection.conversations:
            live = [m for m in connection.live if m.conversation == conversation]
            place = f"connection {number} of {connection.who}"
            for before, after in pairwise(live):
                if after.seq <= before.seq:
                    yield Fault("recv", f"{place}: {after} came after seq {before.seq}")
            got = {m.id for m in live}
            for message in _due(run, connection, conversation, live):
                if message.id not in got and not _is_own(run, connection, message):
                    yield Fault("recv", f"{place} missed {message}")


def _due(
    run: Run, connection: Connection, conversation: str, live: list[Message]
) -> Iterator[Message]:
    """Return what a connection must have received: to its last message, or to the very end."""
    last = live[-1].seq if live else 0
    for message in run.readings[conversation][0].messages:
        send = run.sends.get(message.key)
        is_later = send is not None and send.at > connection.subscribed_at
        is_between = bool(live) and live[0].seq < message.seq
        if (is_later or is_between) and (message.seq < last or not connection.has_dropped):
            yield message


def _is_own(run: Run, connection: Connection, message: Message) -> bool:
    return message.sender == connection.user and "socket" in run.sends[message.key].vias


def _completeness(run: Run) -> Iterator[Fault]:
    """Who caught up after every break has everything."""
    have: dict[str, set[str]] = defaultdict(set)
    for seen in run.sightings:
        have[seen.who].add(seen.message.id)
    rooms = {c.who: c.conversations for c in run.connections.values()}
    for who, conversations in rooms.items():
        for conversation in conversations:
            for message in run.readings[conversation][0].messages:
                if message.id not in have[who]:
                    yield Fault("recv", f"{who} never got {message}")


if __name__ == "__main__":
    FAULTS = check(Run(read(Path(sys.argv[1]))))
    print(*(f"{fault.kind}: {fault.text}" for fault in FAULTS), sep="\n")
    sys.exit(bool(FAULTS))
