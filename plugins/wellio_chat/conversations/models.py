"""Conversations, their members and their log: on the wire, and as services return them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, RootModel, ValidationInfo, field_validator

from wellio import Ack, Id, Instant, Name, Page, Role, Row, Slice, Wire
from wellio_chat.messages.models import Message


class Member(Wire):
    """Somebody in a conversation."""

    user_id: Id
    name: str
    role: Role
    joined_at: Instant
    online: bool
    last_seen: Instant | None = Field(description="Null when online, or not seen since the start.")
    delivered_seq: int = Field(description="They received everything up to this `seq`.")
    read_seq: int = Field(description="They read everything up to this `seq`.")


class Conversation(Wire):
    """A conversation as one member sees it."""

    id: Id
    kind: Literal["direct", "group"]
    mode: Literal["standard", "e2ee"]
    title: str | None
    members: list[Member]
    last_message: Message | None
    last_seq: int
    last_event_seq: int
    unread: int = Field(description="Others' messages after the last one that was read.")
    created_at: Instant
    active_at: Instant = Field(description="When the last message was sent; lists begin with it.")


class ConversationPage(Page[Conversation]):
    """A page of conversations, and from where to catch up with what happens to all of them."""

    sync_cursor: str | None = Field(
        description="`after` of the first `sync`: everything before it is in what was read since. "
        "Keep that of the first page. Null while nothing ever happened."
    )


class NewConversation(Wire):
    """A conversation to open; the caller is a member without being named."""

    kind: Literal["direct", "group"]
    member_ids: Annotated[list[Id], Field(min_length=1, max_length=5000)]
    title: Name | None = Field(default=None, description="Groups only.")

    @field_validator("title")
    @classmethod
    def _fits_its_kind(cls, title: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("kind") == "direct" and title is not None:
            raise ValueError("is for groups only")
        return title


class NewMember(Wire):
    """Somebody to take into a group."""

    user_id: Id


class Happened(Wire):
    """What every event of a conversation carries."""

    conversation_id: Id
    event_seq: int = Field(description="Gap-free within the conversation, from 1.")


class MessageSent(Message, Happened):
    """Somebody sent a message, to whom it is new; its sender's other devices hear it too."""

    message_id: Id = Field(description="The `id`, under the name that the other events have.")


class MessageUpdated(Happened):
    """Its sender changed what a message says."""

    message_id: Id
    seq: int
    content: str | None = Field(description="Null when it was deleted since.")
    edited_at: Instant | None
    deleted_at: Instant | None


class MessageRemoved(Happened):
    """A message's content was taken away; its place stays."""

    message_id: Id
    seq: int
    deleted_at: Instant


class StatusChanged(Happened):
    """Everything up to a message reached a member, or was read by them."""

    message_id: Id
    user_id: Id = Field(description="Who received or read.")
    status: Literal["delivered", "read"]
    seq: int = Field(description="The `seq` of the message.")


class ConversationOpened(Happened):
    """A conversation was opened."""

    kind: Literal["direct", "group"]
    title: str | None
    created_at: Instant
    member_ids: list[Id] = Field(description="Who is in it now.")


class MemberJoined(Happened):
    """Somebody was taken into a group."""

    user_id: Id


class MemberLeft(Happened):
    """Somebody left a group, or was taken out of it; they hear it too."""

    user_id: Id


class NewMessageEntry(Happened):
    """`new_message` in the log."""

    event: Literal["new_message"]
    data: MessageSent


class MessageUpdatedEntry(Happened):
    """`message_updated` in the log."""

    event: Literal["message_updated"]
    data: MessageUpdated


class MessageDeletedEntry(Happened):
    """`message_deleted` in the log."""

    event: Literal["message_deleted"]
    data: MessageRemoved


class MessageStatusEntry(Happened):
    """`message_status` in the log."""

    event: Literal["message_status"]
    data: StatusChanged


class ConversationCreatedEntry(Happened):
    """`conversation_created` in the log."""

    event: Literal["conversation_created"]
    data: ConversationOpened


class MemberAddedEntry(Happened):
    """`member_added` in the log."""

    event: Literal["member_added"]
    data: MemberJoined


class MemberRemovedEntry(Happened):
    """`member_removed` in the log."""

    event: Literal["member_removed"]
    data: MemberLeft


class LogEntry(
    RootModel[
        Annotated[
            NewMessageEntry
            | MessageUpdatedEntry
            | MessageDeletedEntry
            | MessageStatusEntry
            | ConversationCreatedEntry
            | MemberAddedEntry
            | MemberRemovedEntry,
            Field(discriminator="event"),
        ]
    ]
):
    """One event of a conversation: `data` is what the socket event of that name carries."""


class SyncAck(Ack):
    """What happened since the cursor, in the order of commit."""

    items: list[LogEntry]
    next: str | None = Field(description="Where to go on; null while nothing ever happened.")
    has_more: bool = Field(description="Ask again at once, with `next`.")


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member's row of `store.members`, and whether they are there.

    Attributes:
        row: The row.
        is_online: Whether they have an open socket.
        last_seen_at: When they had the last one, if that is known and they have none.
    """

    row: Row
    is_online: bool
    last_seen_at: int | None


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation as one member sees it.

    Attributes:
        row: Its row of `store`.
        members: All who are in it.
        last_message: The row of its last message, if there is one.
    """

    row: Row
    members: Sequence[MemberView]
    last_message: Row | None

    @property
    def id(self) -> str:
        """Return the conversation's id."""
        return str(self.row["conversation_id"])


@dataclass(frozen=True, slots=True)
class Inbox:
    """A part of somebody's conversations, and a cursor for `sync` that is no later."""

    conversations: Slice[ConversationView]
    sync_cursor: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation that somebody asked for; `is_new` unless it was there."""

    conversation: ConversationView
    is_new: bool
