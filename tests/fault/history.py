"""The history of a run: one JSON line for everything that somebody did or saw, in its order.

The checker needs nothing else, so a run that failed can be looked at again from its file. What the
lines hold, besides `op`, `at` (monotonic seconds) and `who`:

    send     key hash via             a send begins; `key` is [conversation, sender, localId]
    ok       key message duplicate    it was acknowledged, with the message
    fail     key reason               it was refused for good
    info     key reason               nobody knows whether it happened
    subscribed  connection conversations    a socket is open and receives from now on
    live     connection message       it received `new_message`
    caught_up   connection messages   what `sync` returned to it
    dropped  connection               it broke
    kill, ready  seconds              the server was killed; it took so long to be ready again
    reading  conversation messages events    what a reader found after everything healed; `events`
                                      is the list of `eventSeq`, or null for a reader without them

A message is [conversation, sender, localId, id, seq, hash].
"""

import asyncio
import hashlib
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import orjson

Record = dict[str, Any]


class Key(NamedTuple):
    """What makes a send the same send: unique for ever."""

    conversation: str
    sender: str
    local_id: str


class Message(NamedTuple):
    """A message as somebody saw it."""

    conversation: str
    sender: str
    local_id: str
    id: str
    seq: int
    hash: str

    @property
    def key(self) -> Key:
        """Return the send that it comes from."""
        return Key(self.conversation, self.sender, self.local_id)

    @classmethod
    def of_wire(cls, wire: dict[str, Any]) -> Self:
        """Read the form in which the server shows it."""
        return cls(
            wire["conversationId"],
            wire["senderId"],
            wire["localId"],
            wire["id"],
            wire["seq"],
            hash_of(wire["content"]),
        )


def hash_of(content: str) -> str:
    """Return what stands for a content in the history."""
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


class History:
    """The file, while it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb")
        self._awaited = 0
        self._came = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, op: str, who: str, **fields: Any) -> None:
        """Add a line, timed now."""
        record = {"op": op, "at": time.monotonic(), "who": who, **fields}
        # Named tuples become lists.
        self._file.write(orjson.dumps(record, default=list, option=orjson.OPT_APPEND_NEWLINE))
        if op == "ok":
            self._awaited -= 1
            if self._awaited <= 0:
                self._came.set()

    async def acknowledge(self, count: int) -> None:
        """Wait until so many more sends are acknowledged; for one caller at a time."""
        self._awaited = count
        self._came.clear()
        await self._came.wait()


def read(path: Path) -> list[Record]:
    """Return the lines of a file."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]
