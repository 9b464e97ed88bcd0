"""What happened in a conversation: as its log keeps it and its members are told of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from wellio import Row


@dataclass(frozen=True, slots=True)
class Opening:
    """A conversation that was opened, with the members of now."""

    kind: str
    title: str | None
    created_at: int
    member_ids: Collection[str]


class Entry(NamedTuple):
    """One entry of a conversation's log, and what it is about as that is now.

    Attributes:
        conversation_id: Whose log.
        event_seq: Its number there.
        kind: The socket event's name.
        message: Of `new_message` and `message_updated`: its row; of `message_deleted` its `id`,
            `seq` and `deleted_at`.
        message_id: Of a receipt: which message it came for.
        user_id: Whose receipt it is; who came or went.
        status: Of a receipt: `delivered` or `read`.
        seq: Of a receipt: up to where.
        opening: Of `conversation_created`.
    """

    conversation_id: str
    event_seq: int
    kind: str
    message: Row | Mapping[str, Any] | None = None
    message_id: str | None = None
    user_id: str | None = None
    status: str | None = None
    seq: int | None = None
    opening: Opening | None = None
