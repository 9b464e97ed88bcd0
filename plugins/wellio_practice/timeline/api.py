"""REST: a client's timeline."""

from collections.abc import Sequence
from typing import Any

from wellio import Page, Wellio, call, rfc3339

from .models import TimelineEntry, TimelineItem
from .service import TimelineService


def routes(app: Wellio) -> Sequence[object]:
    """Return the routes of `/clients/{id}/timeline`."""
    return [
        call(
            "GET",
            "/clients/{id}/timeline",
            app.service(TimelineService).read,
            returns=Page[TimelineItem],
            wire=_item,
            permission="clients.read",
            object=("client", "id"),
        ),
    ]


def _item(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "kind": entry.kind,
        "actorId": entry.actor_id,
        "refId": entry.ref_id,
    }
