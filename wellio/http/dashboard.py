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

    def __init__(self, sections: Sequence[DashboardSection] = ()) -> None:
        self._sections: dict[str, DashboardSection] = {}
        self.add(*sections)

    def add(self, *sections: DashboardSection) -> None:
        """Take in sections.

        Raises:
            PluginError: Two have one name.
        """
        for section in sections:
            if self._sections.setdefault(section.name, section) is not section:
                raise PluginError(f"two sections of the dashboard are called {section.name}")

    @endpoint("GET", "/dashboard", returns=dict[str, Any], signed_in=True)
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
