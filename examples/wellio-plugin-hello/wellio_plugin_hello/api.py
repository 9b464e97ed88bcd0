"""REST: `/clients/{id}/wins`, for whoever the practice lets see the client."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from wellio import (
    ACTOR,
    Page,
    PayloadTooLarge,
    Reply,
    Wellio,
    call,
    endpoint,
    no_content,
    rfc3339,
)

from .models import WINS, Tally, Win, WinCount
from .pictures import Pictures
from .service import WinService

_ALL, _ONE, _PICTURE = (
    f"/clients/{{id}}/wins{it}" for it in ("", "/{win_id}", "/{win_id}/picture")
)
_HERS = ("client", "id")
_READ, _NOTE = "hello.read", "hello.note"


def routes(app: Wellio) -> Sequence[object]:
    """Serve wins; telling the chat of them, where there is one."""
    wins, wire = app.service(WinService), WINS.wire
    return [
        call("GET", _ALL, wins.list, returns=Page[Win], wire=wire, permission=_READ, object=_HERS),
        call("POST", _ALL, wins.note, returns=Win, wire=wire, permission=_NOTE, object=_HERS),
        call("GET", _ONE, wins.read, returns=Win, wire=wire, permission=_READ, object=_HERS),
        call("PATCH", _ONE, wins.change, returns=Win, wire=wire, permission=_NOTE, object=_HERS),
        call("DELETE", _ONE, wins.withdraw, permission=_NOTE, object=_HERS),
        *([_share(wins)] if wins.can_share else []),
        call(
            "GET",
            "/clients/{id}/win-count",
            wins.count,
            returns=WinCount,
            wire=_count,
            permission=_READ,
            object=_HERS,
        ),
        PictureApi(app.service(Pictures)),
    ]


def _share(wins: WinService) -> object:
    return call("POST", _ONE + "/share", wins.share, permission=_NOTE, object=_HERS)


def _count(tally: Tally) -> dict[str, Any]:
    last_at = None if tally.last_at is None else rfc3339(tally.last_at)
    return {"wins": tally.wins, "lastAt": last_at, "badges": tally.badges}


class PictureApi:
    """Bytes rather than JSON, so these are handlers of aiohttp."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    @endpoint(
        "PUT", _PICTURE, status=204, permission=_NOTE, object=_HERS, errors=(PayloadTooLarge,)
    )
    async def put(self, request: web.Request) -> Reply:
        """Put a picture beside a win that one noted, in the place of an earlier one."""
        ids, content = request.match_info, request.content.iter_any()
        await self._pictures.put(request[ACTOR], ids["id"], ids["win_id"], content)
        return no_content()

    @endpoint(
        "GET", _PICTURE, media_type="application/octet-stream", permission=_READ, object=_HERS
    )
    async def read(self, request: web.Request) -> web.Response:
        """Download a win's picture."""
        ids = request.match_info
        content = await self._pictures.read(ids["id"], ids["win_id"])
        # What somebody uploaded is never shown as if it were a page of ours.
        return web.Response(body=content, headers={"Content-Disposition": "attachment"})
