"""Entity tags: a GET of one object names its state, and a PATCH may insist on one.

A tag is a hash of the answer's bytes. So it is a strong one: it changes with whatever the reader
would see change, whichever table that comes from, and people who see different things of an object
have different tags. A PATCH's `If-Match` is held against the object as its caller would read it
now, in the transaction that changes it and after its row is locked: nothing comes between the two.

    async def _rename(self, tx: Tx, tag_id: str, name: str, if_match: IfMatch) -> dict[str, Any]:
        if not await store.lock(tx, tag_id):
            raise NotFound
        if if_match.is_given:
            if_match.check(await self._read(tx, tag_id))
"""

import hashlib
import re
from collections.abc import Collection
from typing import Any

import orjson
from aiohttp import hdrs, web

from wellio.errors import BadRequest, PreconditionFailed

_ANY = "*"
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')


class IfMatch:
    """On which states of an object a PATCH insists.

    Attributes:
        is_given: Whether it insists at all.
        is_checked: Whether that was looked at.
    """

    def __init__(self, tags: Collection[str] | None = None) -> None:
        """Insist on the states with some tags; None: on nothing."""
        self._tags = tags
        self.is_given = tags is not None
        self.is_checked = False

    def check(self, current: Any) -> None:
        """Hold it against an object, as a GET by the same person would answer it.

        Raises:
            PreconditionFailed: The object is in another state.
        """
        self.is_checked = True
        if self._tags is not None and tag_of(orjson.dumps(current)) not in self._tags:
            raise PreconditionFailed("It has changed since you read it; read it again.")


IF_MATCH = web.RequestKey("if_match", IfMatch)
"""What a PATCH insists on: `request[IF_MATCH]`, in the handler of every PATCH."""


def tag_of(content: bytes) -> str:
    """Return the tag of an answer, without its quotes."""
    return hashlib.sha256(content).hexdigest()[:32]


def if_match_of(request: web.Request) -> IfMatch:
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
        raise BadRequest('If-Match holds `*` or tags in quotes: `"..."`.', code="bad_if_match")
    return IfMatch({tag for weak, tag in tags if not weak})


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
