"""Conversations and their members: on the wire, and as services return them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from wellio import Id, Instant, Name, Row, Wire
from wellio_chat.messages.models import Message


class Member(Wire):
    """Somebody in a conversation."""

    user_id: Id
    name: str
    role: str
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


class NewConversation(Wire):
    """A conversation to open; the caller is a member without being named."""

    kind: Literal["direct", "group"]
    member_ids: Annotated[list[Id], Field(min_length=1, max_length=5000)]
    title: Name | None = Field(default=None, description="Groups only.")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "NewConversation":
        if self.kind == "direct" and self.title is not None:
            raise ValueError("a direct conversation has no title")
        return self


class NewMember(Wire):
    """Somebody to take into a group."""

    user_id: Id


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
class Opened:
    """A conversation that somebody asked for; `is_new` unless it was there."""

    conversation: ConversationView
    is_new: bool
