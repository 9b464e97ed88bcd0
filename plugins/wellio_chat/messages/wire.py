"""Messages and receipts as JSON: what REST, acknowledgements and broadcasts share."""

from collections.abc import Mapping
from typing import Any

from wellio import Row, rfc3339

from .models import STATUSES, Sent, Watermarks

Json = dict[str, Any]


def message(row: Row | Mapping[str, Any]) -> Json:
    """Return a message.

    Args:
        row: With the columns of `store.COLUMNS`; its `stage` is null unless the viewer sent it.
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


def sent(it: Sent) -> Json:
    """Return the message that was sent; who sent it again knows the event's number already."""
    if it.event_seq is None:
        return message(it.message)
    return {**message(it.message), "eventSeq": it.event_seq}


def marked(it: Watermarks) -> Json:
    """Return a member's watermarks."""
    return {"deliveredSeq": it.delivered_seq, "readSeq": it.read_seq, "unread": it.unread}


def instant(ms: int | None) -> str | None:
    """Return an instant that may be missing."""
    return None if ms is None else rfc3339(ms)
