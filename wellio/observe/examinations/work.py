"""Looks at the work behind the scenes: what was given up, and what waits for too long."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wellio.observe.findings import Finding

from .examination import Examination

if TYPE_CHECKING:
    from wellio.boot.app import Wellio


def of_work(app: "Wellio") -> Sequence[Examination]:
    """Return what is looked at of events, jobs and schedules."""

    async def given_up() -> Finding:
        status = await app.bus.status()
        dead = {"jobs": status["jobs"]["dead"]}
        dead |= {name: it["dead"] for name, it in status["subscribers"].items()}
        named = [f"{name}: {count}" for name, count in dead.items() if count]
        if not named:
            return Finding("background work", "ok", "nothing was given up")
        return Finding(
            "background work",
            "warning",
            f"given up: {', '.join(named)}",
            "`wellio outbox` shows why, `wellio outbox --retry` tries again",
        )

    # `/health` has it as `outbox` and `jobs`.
    return [Examination("background work", given_up, is_brief=False)]
