"""`GET /metrics`, for Prometheus."""

import hmac

from aiohttp import web

from wellio.errors import Unauthorized
from wellio.observe.metrics import CONTENT_TYPE, Metrics

from .endpoint import endpoint


class MetricsApi:
    """`/metrics`: open, or bound to a token."""

    def __init__(self, metrics: Metrics, token: str | None = None) -> None:
        """Show metrics.

        Args:
            metrics: The app's.
            token: The bearer token that Prometheus must send; None lets everybody read.
        """
        self._metrics = metrics
        self._expected = None if token is None else f"Bearer {token}".encode()

    @endpoint("GET", "//metrics", public=True, media_type="text/plain", errors=(Unauthorized,))
    async def read(self, request: web.Request) -> web.Response:
        """Read the metrics in Prometheus' text format."""
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if self._expected is not None and not hmac.compare_digest(given, self._expected):
            raise Unauthorized
        return web.Response(
            body=await self._metrics.expose(), headers={"Content-Type": CONTENT_TYPE}
        )
