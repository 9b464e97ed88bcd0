"""Entity tags: a GET of one object names its state, and a PATCH may insist on one.

A tag is a hash of the answer's bytes. So it is a strong one: it changes with whatever the reader
would see change, whichever table that comes from, and people who see different things of an object
have different tags. A PATCH's `If-Match` is held against the object as its caller would read it
now, in the transaction that changes it and after its row is locked: nothing comes between the two.

    async def _rename(self, tx: Tx, tag_id: str, name: str, if_match: IfMatch) -> Row:
        before = await TAGS.lock(tx, tag_id)
        if_match.check(tx, before)
        ...

It knows how its endpoint makes JSON of a row (`wire`), so a service need not.
"""

import hashlib
import re
from collections.abc import Callable, Collection
from typing import Any

import orjson
from aiohttp import hdrs, web

from wellio.db.base import Tx
from wellio.errors import BadIfMatch, PluginError, PreconditionFailed

_ANY = "*"
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')


class IfMatch:
    """On which states of an object a PATCH insists.

    Attributes:
        is_given: Whether it insists at all.
        is_checked: Whether that was looked at.
    """

    def __init__(
        self, tags: Collection[str] | None = None, wire: Callable[[Any], Any] | None = None
    ) -> None:
        """Insist on some states.

        Args:
            tags: Theirs; None: on nothing.
            wire: Makes the JSON of what is checked; None: that is JSON already.
        """
        self._tags = tags
        self._wire = wire
        self.is_given = tags is not None
        self.is_checked = False

    def check(self, tx: Tx, current: Any) -> None:
        """Hold it against an object as it is now.

        Args:
            tx: The transaction that changes the object, and has locked it before.
            current: The row or view of which `wire` makes what a GET by the same person answers.

        Raises:
            PreconditionFailed: The object is in another state.
            PluginError: Nothing was locked, so another could change it between this and the write.
        """
        if not tx.has_locked:
            raise PluginError("an If-Match is checked after the row is read `{for_update}`")
        self.is_checked = True
        if self._tags is None:
            return
        seen = current if self._wire is None else self._wire(current)
        if tag_of(orjson.dumps(seen)) not in self._tags:
            raise PreconditionFailed("It has changed since you read it; read it again.")


IF_MATCH = web.RequestKey("if_match", IfMatch)
"""What a PATCH insists on: `request[IF_MATCH]`, in the handler of every PATCH."""


def tag_of(content: bytes) -> str:
    """Return the tag of an answer, without its quotes."""
    return hashlib.sha256(content).hexdigest()[:32]


def if_match_of(request: web.Request, wire: Callable[[Any], Any] | None) -> IfMatch:
    """Read what a request insists on; `*` holds for everything that is there.

    A weak tag (`W/"..."`) is none that can be insisted on (RFC 9110, 8.8.3.2), so it never matches.

    Raises:
        BadRequest: The header is malformed.
    """
    given = _header(request, hdrs.IF_MATCH)
    if given is None or given == _ANY:
        return IfMatch()
    tags = _TAG.findall(given)
    if not tags or _TAG.sub("", given).strip(", \t"):
        raise BadIfMatch
    return IfMatch({tag for weak, tag in tags if not weak}, wire)


def tagged(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Give the answer to a GET or PATCH its tag, unless it brings one.

    To a GET whose sender knows that state already, the answer becomes a 304.
    """
    if response.status != 200 or not isinstance(response, web.Response):
        return response
    if hdrs.ETAG not in response.headers and isinstance(response.body, bytes):
        response.headers[hdrs.ETAG] = f'"{tag_of(response.body)}"'
    known = _header(request, hdrs.IF_NONE_MATCH)
    if known is not None and request.method in {hdrs.METH_GET, hdrs.METH_HEAD}:
        tag = response.etag
        if tag is not None and (known == _ANY or tag.value in _values(known)):
            response.set_status(304)
            response.body = None
    return response


def _header(request: web.Request, name: str) -> str | None:
    """Return a header that may be there several times, as one list."""
    lines = request.headers.getall(name, ())
    return ",".join(lines).strip() if lines else None


def _values(text: str) -> set[str]:
    """Return the tags in a list, weak ones too."""
    return {tag for _, tag in _TAG.findall(text)}
