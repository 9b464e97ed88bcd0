"""Conversations and their log as JSON: what REST, acknowledgements and broadcasts share."""

from collections.abc import Mapping
from typing import Any

from wellio import Row, rfc3339
from wellio_chat.messages import wire as messages

from .entry import Entry, Opening
from .models import ConversationView, Inbox, MemberView

Json = dict[str, Any]


def conversation(view: ConversationView) -> Json:
    """Return a conversation as one member sees it."""
    row = view.row
    return {
        "id": row["conversation_id"],
        "kind": row["kind"],
        "mode": row["mode"],
        "title": row["title"],
        "members": [_member(member) for member in view.members],
        "lastMessage": None if view.last_message is None else messages.message(view.last_message),
        "lastSeq": row["last_seq"],
        "lastEventSeq": row["last_event_seq"],
        "unread": row["unread"],
        "createdAt": rfc3339(row["created_at"]),
        "activeAt": rfc3339(row["active_at"]),
    }


def inbox(it: Inbox) -> Json:
    """Return a page of conversations."""
    return {
        "items": [conversation(view) for view in it.conversations.rows],
        "nextCursor": it.conversations.next_cursor,
        "syncCursor": it.sync_cursor,
    }


def entry(it: Entry) -> Json:
    """Return an entry of a conversation's log."""
    return {
        "conversationId": it.conversation_id,
        "eventSeq": it.event_seq,
        "event": it.kind,
        "data": data(it),
    }


def data(it: Entry) -> Json:
    """Return what the socket event of an entry carries."""
    if it.message is not None:
        return _of_message(it, it.message)
    place = {"conversationId": it.conversation_id, "eventSeq": it.event_seq}
    if it.opening is not None:
        return {**place, **_opening(it.opening)}
    if it.status is not None:  # who received or read everything up to `seq`
        receipt = {"userId": it.user_id, "status": it.status, "seq": it.seq}
        return {"messageId": it.message_id, **place, **receipt}
    return {**place, "userId": it.user_id}


def _of_message(it: Entry, row: Row | Mapping[str, Any]) -> Json:
    """Return a message; of a change only what changed, its content null if it is deleted since."""
    if it.kind == "new_message":
        return {**messages.message(row), "messageId": row["id"], "eventSeq": it.event_seq}
    changed = {
        "messageId": row["id"],
        "conversationId": it.conversation_id,
        "eventSeq": it.event_seq,
        "seq": row["seq"],
    }
    if it.kind == "message_updated":
        changed |= {"content": row["body"], "editedAt": messages.instant(row["edited_at"])}
    return {**changed, "deletedAt": messages.instant(row["deleted_at"])}


def _opening(it: Opening) -> Json:
    return {
        "kind": it.kind,
        "title": it.title,
        "createdAt": rfc3339(it.created_at),
        "memberIds": sorted(it.member_ids),
    }


def _member(view: MemberView) -> Json:
    row = view.row
    return {
        "userId": row["user_id"],
        "name": row["name"],
        "role": row["role"],
        "joinedAt": rfc3339(row["joined_at"]),
        "online": view.is_online,
        "lastSeen": messages.instant(view.last_seen_at),
        "deliveredSeq": row["delivered_seq"],
        "readSeq": row["read_seq"],
    }
