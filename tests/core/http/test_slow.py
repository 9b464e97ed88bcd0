"""A handler that takes longer than the limit is a line of the log, with what it answers alone."""

import asyncio
from typing import Any, cast

import pytest
from aiohttp import web

from tests.core.http.small_app import CLIENT, ID, logged, running
from wellio.errors import Conflict
from wellio.http import GatewayRules, endpoint
from wellio.observe.slow import Slow
from wellio.realtime import Client, EventRouter, socket_event

SLOW = Slow(limit_s=0.05)
NAP_S = 2 * SLOW.limit_s


class NapApi:
    @endpoint("GET", "//naps/{id}", public=True)
    async def nap(self, request: web.Request) -> dict[str, Any]:
        """Answer late."""
        await asyncio.sleep(NAP_S)
        return {}

    @endpoint("POST", "//naps", public=True, errors=(Conflict,))
    async def refuse(self, request: web.Request) -> dict[str, Any]:
        """Refuse late."""
        await asyncio.sleep(NAP_S)
        raise Conflict("There is one.")

    @endpoint("GET", "//quick", public=True)
    async def hurry(self, request: web.Request) -> dict[str, Any]:
        """Answer at once."""
        return {}

    @endpoint("GET", "//file", public=True, media_type="text/plain")
    async def read_out(self, request: web.Request) -> web.StreamResponse:
        """Send something for as long as it takes."""
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await asyncio.sleep(NAP_S)
        return response


class NapSockets:
    @socket_event("nap", signed_in=True)
    async def nap(self, client: Client) -> dict[str, Any]:
        """Answer late."""
        await asyncio.sleep(NAP_S)
        return {}

    @socket_event("hurry", signed_in=True)
    async def hurry(self, client: Client) -> dict[str, Any]:
        """Answer at once."""
        return {}


class Device:
    actor = CLIENT


@pytest.mark.parametrize(
    "method, path, route",
    [
        ("GET", f"/naps/{ID}?q=s3cret", "/naps/{id}"),
        ("POST", "/naps", "/naps"),
        ("GET", "/quick", None),
        ("GET", "/file", None),
    ],
)
async def test_a_slow_handler_is_reported_by_its_route(
    method: str, path: str, route: str | None
) -> None:
    with logged() as lines:
        async with running(NapApi(), rules=GatewayRules(slow=SLOW)) as app:
            await app.request(method, path, headers={"X-Request-Id": "request-1"})
    assert "s3cret" not in lines.text
    assert ID not in lines.text
    assert [
        (it["event"], it["level"], it["plugin"], it["method"], it["route"], it["requestId"])
        for it in lines.all()
    ] == [("slow handler", "warning", "tests", method, route, "request-1")] * (route is not None)
    assert all(it["seconds"] >= SLOW.limit_s for it in lines.all())


async def test_a_slow_socket_event_is_reported_by_its_name() -> None:
    router = EventRouter([NapSockets()], slow=SLOW)
    with logged() as lines:
        for name in ("nap", "hurry", "unknown"):
            await router.dispatch(cast(Client, Device()), name, {})
    assert [(it["event"], it["socket_event"]) for it in lines.all()] == [("slow handler", "nap")]
