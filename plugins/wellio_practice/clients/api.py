"""REST: client records, their coaches and their tags."""

from collections.abc import Sequence
from typing import Any

from wellio import Page, Wellio, call
from wellio_practice.tags.models import TAGS

from .models import CLIENTS, Client, ClientView, OwnClient, OwnRecord
from .service import ClientService

_READ, _KEEP = "clients.read", "clients.manage"
_CLIENT = ("client", "id")
_OWN = tuple(field.serialization_alias or it for it, field in OwnRecord.model_fields.items())


def shown(client: ClientView) -> dict[str, Any]:
    """Return a client as they stand on the wire: as staff see them, or as they see themselves."""
    record = CLIENTS.wire(client.row)
    coaches = [{"id": coach["id"], "name": coach["name"]} for coach in client.coaches]
    if client.tags is None:
        return {**{it: record[it] for it in _OWN}, "coaches": coaches}
    return {**record, "coaches": coaches, "tags": [TAGS.wire(tag) for tag in client.tags]}


def routes(app: Wellio) -> Sequence[object]:
    """Serve `/clients`."""
    clients, one = app.service(ClientService), "/clients/{id}"
    coach, tag = f"{one}/coaches/{{coach_id}}", f"{one}/tags/{{tag_id}}"
    return [
        call(
            "GET",
            "/clients",
            clients.search,
            returns=Page[Client | OwnClient],
            wire=shown,
            scope=_READ,
            signed_in=True,
        ),
        call("POST", "/clients", clients.create, returns=Client, wire=shown, permission=_KEEP),
        call(
            "GET",
            one,
            clients.read,
            returns=Client | OwnClient,
            wire=shown,
            object=_CLIENT,
            scope=_READ,
        ),
        call(
            "PATCH",
            one,
            clients.change,
            returns=Client,
            wire=shown,
            object=_CLIENT,
            action="update",
            scope=_KEEP,
        ),
        call("PUT", coach, clients.assign, object=_CLIENT, action="assign", scope=_KEEP),
        call("DELETE", coach, clients.unassign, object=_CLIENT, action="assign", scope=_KEEP),
        call("PUT", tag, clients.tag, object=_CLIENT, action="update", scope=_KEEP),
        call("DELETE", tag, clients.untag, object=_CLIENT, action="update", scope=_KEEP),
    ]
