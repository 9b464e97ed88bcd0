"""The server's outermost layer: connections with bounds, and an end that leaves nothing open."""

from typing import cast

from aiohttp import web

from wellio.config.settings import ServerConfig

from .connection import Connection, without_traps
from .headers import HEADERS, ResponseHeaders

_MAX_HEADERS = 64
_MAX_LINE_BYTES = 8190
_LINGERING_S = 1.0


class Runner(web.AppRunner):
    """Runs an app as aiohttp's own runner does, on connections of our own."""

    def __init__(self, app: web.Application, settings: ServerConfig) -> None:
        """Run an app that `Http` made.

        Args:
            app: The app.
            settings: The times that a connection may take.
        """
        super().__init__(
            app,
            access_log=None,
            auto_decompress=False,  # nobody takes compressed bodies, so no bomb goes off
            keepalive_timeout=settings.head_timeout_s,  # counts until a whole head is there
            lingering_time=_LINGERING_S,  # for the rest of a body that was refused
            max_field_size=_MAX_LINE_BYTES,
            max_headers=_MAX_HEADERS,
            max_line_size=_MAX_LINE_BYTES,
            shutdown_timeout=settings.shutdown_timeout_s,
        )
        self._unread_timeout_s = settings.unread_timeout_s

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.__class__ = _Server
        ours = cast(_Server, server)
        ours.headers, ours.unread_timeout_s = self.app[HEADERS], self._unread_timeout_s
        ours.request_factory = without_traps(ours.request_factory)
        return ours


class _Server(web.Server):
    headers: ResponseHeaders
    unread_timeout_s: float

    def __call__(self) -> web.RequestHandler:
        return Connection(
            self, self.headers, self.unread_timeout_s, loop=self._loop, **self._kwargs
        )
