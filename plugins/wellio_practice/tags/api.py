"""REST: the list of tags, which staff read and keep."""

from collections.abc import Sequence

from wellio import Page, Wellio, call

from .models import TAGS, Tag
from .service import TagExists, TagService

_READ, _KEEP = "clients.read", "clients.manage"


def routes(app: Wellio) -> Sequence[object]:
    """Serve `/tags`."""
    tags, wire, taken = app.service(TagService), TAGS.wire, (TagExists,)
    one = "/tags/{id}"
    return [
        call("GET", "/tags", tags.list, returns=Page[Tag], wire=wire, permission=_READ),
        call("POST", "/tags", tags.create, returns=Tag, wire=wire, permission=_KEEP, errors=taken),
        call("GET", one, tags.read, returns=Tag, wire=wire, permission=_READ),
        call("PATCH", one, tags.rename, returns=Tag, wire=wire, permission=_KEEP, errors=taken),
        call("DELETE", one, tags.delete, permission=_KEEP),
    ]
