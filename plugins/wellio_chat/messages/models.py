"""Messages and receipts: on the wire, and as services return them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from wellio import ABSENT, Ack, Form, Id, Instant, Line, PageQuery, Row, Text, VisibleText, Wire
from wellio_chat.conversations.entry import Entry

MessageType = Literal["text", "image", "file", "audio", "system", "encrypted"]
Status = Literal["sent", "delivered", "read"]
STATUSES: tuple[Status, ...] = ("sent", "delivered", "read")
NOW = "now"
"""The cursor of who wants one."""
LocalId = Annotated[Text, StringConstraints(min_length=1, max_length=64)]
Content = Annotated[VisibleText, Field(description="Up to `text_bytes` (16 KiB) of UTF-8.")]


class Message(Wire):
    """A message as one member sees it."""

    id: Id
    conversation_id: Id
    sender_id: Id | None = Field(description="Null for a system message or an erased person.")
    type: MessageType
    content: str | None = Field(description="Null when it was deleted.")
    local_id: str | None = Field(description="The sender's own key.")
    seq: int = Field(description="Gap-free within the conversation, from 1.")
    created_at: Instant
    edited_at: Instant | None
    deleted_at: Instant | None
    reply_to: Id | None
    status: Status | None = Field(
        description="Of the slowest other member; for the sender, null for others."
    )
    origin: Literal["human", "automation", "ai"]
    attachments: list[Any]


class SentMessage(Message):
    """What a send answers that stored a message."""

    event_seq: int = Field(description="The number of the event that carries the message.")


class RepeatedMessage(Message):
    """What a send answers whose `localId` an earlier one brought."""

    duplicate: Literal[True]


class NewMessage(Wire):
    """A message to send."""

    content: Content
    type: Literal["text"] = "text"
    local_id: LocalId | None = Field(
        default=None, description="Sent again with the same one, a message is stored once."
    )
    reply_to: Id | None = None
    attachment_ids: list[Id] = Field(
        default_factory=list,
        max_length=0,
        description="Files to send along: this version takes none yet.",
    )


class SendMessage(NewMessage):
    """The socket's form of it."""

    conversation_id: Id


class Edit(Wire):
    """A message's new content."""

    content: Content = ABSENT


class Mark(Wire):
    """Up to which message the caller received or read."""

    message_id: Id


class MarkMessage(Mark):
    """The socket's form of it."""

    conversation_id: Id


class Marked(Wire):
    """The caller's watermarks after that."""

    delivered_seq: int
    read_seq: int
    unread: int


class WrittenMessage(Wire):
    """What an API key is told of a message that it may send and not read."""

    id: Id


class SendAck(Ack):
    """The message is stored."""

    message: SentMessage | Message | WrittenMessage = Field(
        description="Without `eventSeq` where an earlier send stored it; the `id` alone for an API "
        "key without `chat.read`."
    )
    duplicate: Literal[True] = Field(
        default=ABSENT, description="An earlier send with this `localId` stored it."
    )


class MarkAck(Marked, Ack):
    """The caller's watermarks after that."""


class Sync(Wire):
    """From where to catch up."""

    after: Annotated[Line, StringConstraints(max_length=256)] | None = Field(
        description="`next` of the answer before, or the `syncCursor` of `GET /conversations`; "
        "null for everything since the start; `now` for the cursor of this moment alone. A "
        "cursor of another database is a 410 `resync`: read the conversations again, and go on "
        "from their `syncCursor`. What never was a cursor is a 422."
    )


class HistoryQuery(PageQuery):
    """Newest first, or ascending from a number."""

    after_seq: Annotated[
        int | None, Field(ge=0, le=2**53, description="Ascending, above this `seq`.")
    ] = None


class LogQuery(PageQuery):
    """From where to read a conversation's log."""

    after: Annotated[
        int, Field(ge=0, le=2**53, description="The last `eventSeq` that is known; 0: the start.")
    ] = 0
    cursor: Annotated[
        str | None,
        Form(r"[0-9]{1,16}", "is no cursor of this list", "bad_cursor"),
        Field(description="`nextCursor` of the page before: an `eventSeq`, instead of `after`."),
    ] = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a send.

    Attributes:
        message: The stored message as its sender sees it, with the columns of `store.COLUMNS`.
        event_seq: The number of its event; None where an earlier send stored it.
    """

    message: Row | Mapping[str, Any]
    event_seq: int | None

    @property
    def is_duplicate(self) -> bool:
        """Return whether an earlier send stored it."""
        return self.event_seq is None


@dataclass(frozen=True, slots=True)
class Watermarks:
    """How far a member is, and how many of others' messages lie above."""

    delivered_seq: int
    read_seq: int
    unread: int


@dataclass(frozen=True, slots=True)
class Missed:
    """What happened since a cursor.

    Attributes:
        entries: The events, in the order of commit.
        next: Where to go on; None while nothing ever happened.
        has_more: That there is more; with no entries, something whose place is not certain yet.
    """

    entries: Sequence[Entry]
    next: str | None
    has_more: bool
