"""REST: the practice's settings."""

from typing import Any

from aiohttp import web

from wellio import ACTOR, IF_MATCH, endpoint

from .models import Practice, PracticeChange
from .service import SettingsService


class SettingsApi:
    """`/practice`."""

    def __init__(self, settings: SettingsService) -> None:
        self._settings = settings

    @endpoint("GET", "/practice", returns=Practice, scope="*")
    async def practice(self, request: web.Request) -> dict[str, Any]:
        """Read the practice's name, time zone, currency and language."""
        return await self._settings.read()

    @endpoint(
        "PATCH", "/practice", body=PracticeChange, returns=Practice, permission="practice.manage"
    )
    async def change(self, request: web.Request, body: PracticeChange) -> dict[str, Any]:
        """Change some of them."""
        return await self._settings.change(request[ACTOR].user_id, body, request[IF_MATCH])
