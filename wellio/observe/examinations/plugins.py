"""Looks at the plugins: which are gone or left out, and what nobody answers for any more."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wellio.boot.answered import unanswered
from wellio.db.catalogue import references
from wellio.db.ownership import hindrances, owner_of
from wellio.http import Http
from wellio.observe.findings import Finding

from .examination import Examination
from .settings import oddity

if TYPE_CHECKING:
    from wellio.boot.app import Wellio

_AGAIN = "an erasure is not complete while they are there"


def of_plugins(app: "Wellio") -> Sequence[Examination]:
    """Return what is looked at of the plugins of an app."""
    looks = _Looks(app)
    return [
        Examination("plugins left out", looks.left_out, is_public=True),
        Examination("removed plugins", looks.removed),
        Examination("open routes", looks.open_routes),
        Examination("people's tables", looks.answered),
        Examination("plugins' keys", looks.keys),
        *map(oddity, app.hooks.plugins.warnings),
    ]


class _Looks:
    """The looks at one app's plugins."""

    def __init__(self, app: "Wellio") -> None:
        self._app = app
        self._plugins = app.hooks.plugins

    async def left_out(self) -> Finding:
        """Look for plugins that do not work."""
        if not self._plugins.skipped:
            return _well("plugins left out", "all that are installed and switched on run")
        return Finding(
            "plugins left out",
            "warning",
            f"the app runs without these, which do not work: {', '.join(self._plugins.skipped)}",
            "`wellio plugins` says why; mend or remove them, or name them in [loader] disabled",
        )

    async def removed(self) -> Finding:
        """Look for tables of plugins that are gone."""
        leftover = [name for name in self._plugins.leftover if name not in self._plugins.skipped]
        if not leftover:
            return _well("removed plugins", "none left tables behind")
        return Finding(
            "removed plugins",
            "warning",
            f"tables are left of: {', '.join(leftover)}",
            f"install the plugin again; {_AGAIN}",
        )

    async def open_routes(self) -> Finding:
        """List what strangers' plugins let anybody call."""
        strangers = [entry for entry in self._plugins.loaded if not entry.offer.is_builtin]
        packages = tuple(f"{entry.package}." for entry in strangers)
        routes = [
            str(route)
            for route in self._app.service(Http).routes
            if route.endpoint.public and f"{route.handler.__module__}.".startswith(packages)
        ]
        said = f"anybody may call, without signing in: {', '.join(routes)}"
        return _well("open routes", said if routes else "plugins open none to who is not signed in")

    async def answered(self) -> Finding:
        """Look for tables about people that nobody exports and erases."""
        tables = await unanswered(self._app)
        if not tables:
            return _well("people's tables", "each has a plugin that exports and erases it")
        return Finding(
            "people's tables",
            "warning",
            f"nobody exports and erases what is about people in: {', '.join(sorted(tables))}",
            f"bring back the plugin that made them, or drop them; {_AGAIN}",
        )

    async def keys(self) -> Finding:
        """Look for foreign keys that keep others from deleting rows."""
        loaded = (entry.name for entry in self._plugins.loaded)
        names = {*self._plugins.leftover, *loaded, "wellio"}
        found = await references(self._app.db, self._app.db.engine)
        owners = {owner_of(key.table, names) for key in found}
        wrong = [line for owner in owners if owner for line in hindrances(owner, names, found)]
        if not wrong:
            return _well("plugins' keys", "none stands in the way of another plugin's rows")
        return Finding(
            "plugins' keys",
            "warning",
            "; ".join(sorted(wrong)),
            "install a version of the plugin that mends it; until then rows cannot be deleted",
        )


def _well(name: str, detail: str) -> Finding:
    return Finding(name, "ok", detail)
