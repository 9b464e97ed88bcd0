"""Looks at the audit log, all of it, as `wellio audit verify` does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wellio.observe.findings import Finding

from .examination import Examination

if TYPE_CHECKING:
    from wellio.boot.app import Wellio


def of_log(app: "Wellio") -> Sequence[Examination]:
    """Return what is looked at of the log."""

    async def verified() -> Finding:
        report = await app.audit.verify()
        if report.is_intact:
            rows = report.rows + report.pending
            return Finding("audit log", "ok", f"{rows} rows are as they were written")
        return Finding(
            "audit log",
            "problem",
            f"{report.found} places are not as they were written",
            "`wellio audit verify` names them",
        )

    return [Examination("audit log", verified, is_brief=False)]
