"""Conversations and their members on the wire."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from wellio import Id, Instant, Name, Row, Wire, rfc3339
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


def conversation_wire(
    row: Row, members: Iterable[dict[str, Any]], last_message: dict[str, Any] | None
) -> dict[str, Any]:
    """Return a conversation's wire form from a row of `store`."""
    return {
        "id": row["conversation_id"],
        "kind": row["kind"],
        "mode": row["mode"],
        "title": row["title"],
        "members": list(members),
        "lastMessage": last_message,
        "lastSeq": row["last_seq"],
        "lastEventSeq": row["last_event_seq"],
        "unread": row["unread"],
        "createdAt": rfc3339(row["created_at"]),
        "activeAt": rfc3339(row["active_at"]),
    }


def member_wire(conversation_id: str, event_seq: int, user_id: str) -> dict[str, Any]:
    """Return what `member_added` and `member_removed` carry."""
    return {"conversationId": conversation_id, "eventSeq": event_seq, "userId": user_id}


def opened_wire(
    conversation_id: str,
    event_seq: int,
    kind: str,
    title: str | None,
    created_at: int,
    member_ids: Iterable[str],
) -> dict[str, Any]:
    """Return what `conversation_created` carries; the members are those of now."""
    return {
        "conversationId": conversation_id,
        "eventSeq": event_seq,
        "kind": kind,
        "title": title,
        "createdAt": rfc3339(created_at),
        "memberIds": sorted(member_ids),
    }
