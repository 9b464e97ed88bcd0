"""REST: client records, their coaches and their tags."""

from collections.abc import Sequence
from typing import Any

from wellio import Page, Wellio, call
from wellio_practice.tags.models import TAGS

from .models import CLIENTS, Client, ClientView, OwnClient, OwnRecord
from .service import ClientService

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
    clients = app.service(ClientService)
    return [
        call(
            "GET",
            "/clients",
            clients.search,
            returns=Page[Client | OwnClient],
            wire=shown,
            scope="clients.read",
        ),
        call(
            "POST",
            "/clients",
            clients.create,
            returns=Client,
            wire=shown,
            permission="clients.manage",
        ),
        call(
            "GET",
            "/clients/{id}",
            clients.read,
            returns=Client | OwnClient,
            wire=shown,
            object=("client", "id"),
            scope="clients.read",
        ),
        call(
            "PATCH",
            "/clients/{id}",
            clients.change,
            returns=Client,
            wire=shown,
            object=("client", "id"),
            action="update",
            scope="clients.manage",
        ),
        call(
            "PUT",
            "/clients/{id}/coaches/{coach_id}",
            clients.assign,
            object=("client", "id"),
            action="assign",
            scope="clients.manage",
        ),
        call(
            "DELETE",
            "/clients/{id}/coaches/{coach_id}",
            clients.unassign,
            object=("client", "id"),
            action="assign",
            scope="clients.manage",
        ),
        call(
            "PUT",
            "/clients/{id}/tags/{tag_id}",
            clients.tag,
            object=("client", "id"),
            action="update",
            scope="clients.manage",
        ),
        call(
            "DELETE",
            "/clients/{id}/tags/{tag_id}",
            clients.untag,
            object=("client", "id"),
            action="update",
            scope="clients.manage",
        ),
    ]
