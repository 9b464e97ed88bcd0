"""The one list: everything that is looked at of an app, and who asks which part of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wellio.boot.hookspecs import HealthCheck
from wellio.observe.findings import Finding

from .examination import Examination, look
from .folder import of_folder
from .log import of_log
from .machine import of_machine
from .plugins import of_plugins
from .settings import of_settings
from .work import of_work

if TYPE_CHECKING:
    from wellio.boot.app import Wellio


def examinations(app: "Wellio") -> Sequence[Examination]:
    """Return all examinations of an app, running or not, in the order of what doctor prints."""
    return [
        *of_machine(app),
        *of_folder(app.config),
        *app.db.examinations(),
        *of_log(app),
        *of_work(app),
        *of_settings(app.config),
        *of_plugins(app),
    ]


async def at_start(app: "Wellio") -> Sequence[Finding]:
    """Return what is not well, of what a start can look at."""
    brief = [one for one in examinations(app) if one.is_brief]
    return [found for found in await look(brief) if found.status != "ok"]


def for_health(app: "Wellio") -> Sequence[Examination]:
    """Return what `/health` looks at, beside the health checks."""
    return [one for one in examinations(app) if one.is_brief]


def of_checks(app: "Wellio") -> Sequence[Examination]:
    """Return the health checks of the core and of all plugins, as doctor has them."""
    by_owner = app.hooks.by_plugin("register_health_checks")
    return [_of_check(owner, check) for owner, checks in by_owner.items() for check in checks]


def _of_check(owner: str, check: HealthCheck) -> Examination:
    name = f"{owner}: {check.name}"

    async def asked() -> Finding:
        reason = await check.check()
        if not reason:
            return Finding(name, "ok", "well")
        return Finding(name, "warning", reason, "`/health` and the log tell more")

    return Examination(name, asked)
