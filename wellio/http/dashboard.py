"""`GET /dashboard`: what plugins have to say to a person, side by side."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from wellio.access.actor import Actor
from wellio.boot.hookspecs import DashboardSection
from wellio.errors import PluginError
from wellio.observe.log import get_logger

from .endpoint import ACTOR, endpoint

_log = get_logger(__name__)


class DashboardApi:
    """`/dashboard`."""

    def __init__(self, sections: Sequence[DashboardSection]) -> None:
        """Collect the sections.

        Raises:
            PluginError: Two have one name.
        """
        self._sections = {section.name: section for section in sections}
        if len(self._sections) != len(sections):
            names = sorted(section.name for section in sections)
            raise PluginError(f"two sections of the dashboard have one name: {', '.join(names)}")

    @endpoint("GET", "/dashboard", returns=dict[str, Any])
    async def read(self, request: web.Request) -> dict[str, Any]:
        """Read your dashboard: one member for each plugin's section, null where one failed."""
        actor = request[ACTOR]
        loaded = await asyncio.gather(*(_load(it, actor) for it in self._sections.values()))
        return dict(zip(self._sections, loaded, strict=True))


async def _load(section: DashboardSection, actor: Actor) -> Any:
    try:
        return await section.load(actor)
    except Exception as error:  # noqa: BLE001 - the other sections are still worth seeing
        _log.error("dashboard section failed", section=section.name, exc_info=error)
        return None
