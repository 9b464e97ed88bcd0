"""Looks at the plugins: which are gone or left out, and what nobody answers for any more."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wellio.observe.findings import Finding

from .examination import Examination
from .settings import oddity

if TYPE_CHECKING:
    from wellio.boot.app import Wellio


def of_plugins(app: "Wellio") -> Sequence[Examination]:
    """Return what is looked at of the plugins of an app."""

    async def removed() -> Finding:
        names = app.hooks.plugins.leftover
        if not names:
            return Finding("removed plugins", "ok", "none left tables behind")
        return Finding(
            "removed plugins",
            "warning",
            f"tables are left of: {', '.join(names)}",
            "install the plugin again; an erasure is not complete while they are there",
        )

    return [
        Examination("removed plugins", removed),
        *map(oddity, app.hooks.plugins.warnings),
    ]
