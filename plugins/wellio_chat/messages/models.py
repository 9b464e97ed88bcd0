"""Messages, receipts and the log on the wire."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from wellio import Id, Instant, Line, PageQuery, Row, Text, Wire, rfc3339

MessageType = Literal["text", "image", "file", "audio", "system", "encrypted"]
Status = Literal["sent", "delivered", "read"]
STATUSES: tuple[Status, ...] = ("sent", "delivered", "read")
LocalId = Annotated[Text, StringConstraints(min_length=1, max_length=64)]
Content = Annotated[Text, Field(min_length=1, description="Up to `text_bytes` (16 KiB) of UTF-8.")]
EVENTS = Literal[
    "conversation_created",
    "new_message",
    "message_updated",
    "message_deleted",
    "message_status",
    "member_added",
    "member_removed",
]


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
    event_seq: int | None = Field(
        default=None, description="The number of the event that carries the message."
    )


class SentMessage(Message):
    """What a send answers."""

    duplicate: Literal[True] | None = Field(
        default=None, description="True when an earlier send with this localId stored it."
    )


class LogEntry(Wire):
    """One event of a conversation's log; `data` is what the socket event of this name carries."""

    event_seq: int
    event: EVENTS
    data: dict[str, Any]


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

    content: Content


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


class Sync(Wire):
    """From where to catch up: `next` of the answer before, null from the start."""

    after: Annotated[Line, StringConstraints(max_length=256)] | None


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
        StringConstraints(pattern=r"^[0-9]{1,15}$"),
        Field(description="`nextCursor` of the page before: an `eventSeq`, instead of `after`."),
    ] = None


def message_wire(row: Row) -> dict[str, Any]:
    """Return a message's wire form.

    Args:
        row: A row of `store`; its `stage` is null unless the viewer sent it.
    """
    stage = row["stage"]
    return {
        "id": row["id"],
        "conversationId": row["conversation_id"],
        "senderId": row["sender_id"],
        "type": row["type"],
        "content": row["body"],
        "localId": row["local_id"],
        "seq": row["seq"],
        "createdAt": rfc3339(row["created_at"]),
        "editedAt": instant(row["edited_at"]),
        "deletedAt": instant(row["deleted_at"]),
        "replyTo": row["reply_to"],
        "status": None if stage is None else STATUSES[stage],
        "origin": row["origin"],
        "attachments": [],
    }


def instant(ms: int | None) -> str | None:
    """Return an instant that may be missing in its wire form."""
    return None if ms is None else rfc3339(ms)


def updated_wire(
    message_id: str,
    conversation_id: str,
    event_seq: int,
    seq: int,
    content: str | None,
    edited_at: int | None,
    deleted_at: int | None,
) -> dict[str, Any]:
    """Return what `message_updated` carries; the content is null when it was deleted since."""
    return {
        "messageId": message_id,
        "conversationId": conversation_id,
        "eventSeq": event_seq,
        "seq": seq,
        "content": content,
        "editedAt": instant(edited_at),
        "deletedAt": instant(deleted_at),
    }


def deleted_wire(
    message_id: str, conversation_id: str, event_seq: int, seq: int, deleted_at: int
) -> dict[str, Any]:
    """Return what `message_deleted` carries."""
    return {
        "messageId": message_id,
        "conversationId": conversation_id,
        "eventSeq": event_seq,
        "seq": seq,
        "deletedAt": rfc3339(deleted_at),
    }


def status_wire(
    message_id: str, conversation_id: str, event_seq: int, user_id: str, status: str, seq: int
) -> dict[str, Any]:
    """Return what `message_status` carries: who received or read everything up to `seq`."""
    return {
        "messageId": message_id,
        "conversationId": conversation_id,
        "eventSeq": event_seq,
        "userId": user_id,
        "status": status,
        "seq": seq,
    }
