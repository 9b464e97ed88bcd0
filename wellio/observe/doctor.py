"""`wellio doctor`: looks at everything that a practice's data depends on, and says what to do.

It only looks. What it prints holds no secret, no person's data and no path, so that it can be shown
to whoever helps. What it looks at is the list in `examinations/`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .examinations.examination import look
from .examinations.listing import examinations, of_checks
from .findings import Finding, Gravity

if TYPE_CHECKING:
    from wellio.boot.app import Wellio


async def examine(app: "Wellio") -> list[Finding]:
    """Look at an app, running or not, its data folder, database and plugins.

    Returns:
        What was found, in the order of the looks.
    """
    return await look([*examinations(app), *of_checks(app)])


def worst(findings: Sequence[Finding]) -> Gravity:
    """Return the gravest status of all."""
    found = {finding.status for finding in findings}
    return "problem" if "problem" in found else "warning" if "warning" in found else "ok"


def as_json(findings: Sequence[Finding]) -> Mapping[str, Any]:
    """Return findings as a command prints them."""
    checks = [
        {
            "status": finding.status,
            "name": finding.name,
            "detail": finding.detail,
            "advice": finding.advice,
        }
        for finding in findings
    ]
    return {"status": worst(findings), "checks": checks}
