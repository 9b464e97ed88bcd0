"""Engine.IO over HTTP long-polling: a GET waits for packets, a POST brings some."""

import asyncio

from aiohttp import web

from . import payload
from .faults import ProtocolError
from .patience import patience
from .session import Session
from .settings import RealtimeSettings
from .throttle import UNIT


class BodyTooLarge(Exception):
    """A body is larger than maxPayload."""


def answer(body: bytes) -> web.Response:
    """Return a polling response."""
    return web.Response(body=body, content_type="text/plain", charset="UTF-8")


async def poll(request: web.Request, session: Session) -> web.Response | None:
    """Answer a GET once there is something to send; None: it may not poll now (400)."""
    if session.poll is not None:
        session.close("overlapping polls", is_reachable=False)
        return None
    session.poll = asyncio.get_running_loop().create_future()
    try:
        if not (session.has_waiting() or session.is_probed):
            await session.poll
    except asyncio.CancelledError:
        session.close("transport closed", is_reachable=False)
        raise
    finally:
        session.poll = None
    if request.transport is None or request.transport.is_closing():
        session.close("transport closed", is_reachable=False)
    return answer(session.drain())


async def push(
    request: web.Request, session: Session, settings: RealtimeSettings
) -> web.Response | None:
    """Take the packets of a POST; None: they are not valid (400).

    Raises:
        BodyTooLarge: The session was closed for it.
    """
    if session.is_posting:
        session.close("overlapping posts", is_reachable=False)
        return None
    session.is_posting = True
    try:
        async with patience(settings.body_timeout_s):
            body = await _read(request, settings.max_payload)
        for packet in payload.split_payload(body):
            if session.throttle.holds(1 + len(packet) // UNIT):
                await session.throttle.released()
            if session.receiver.busy is not None:
                await asyncio.wait((session.receiver.busy,))
            await session.has_room()
            if session.is_closed:
                return None
            session.take(packet)
    except BodyTooLarge:
        session.close("payload too large", is_reachable=False)
        raise
    except (ProtocolError, web.RequestPayloadError, OSError, TimeoutError):
        session.close("parse error", is_reachable=False)
        return None
    finally:
        session.is_posting = False
    return answer(b"ok")


async def _read(request: web.Request, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise BodyTooLarge
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge
    return bytes(body)
