"""Looks at the machine: its versions, its clock, and how many files may be open."""

import platform
from collections.abc import Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Final

from wellio.observe.findings import Finding

from .examination import Examination

if TYPE_CHECKING:
    from wellio.boot.app import Wellio

_AHEAD_MS: Final = 60_000
_FILES: Final = 4096  # each open socket is one
_LAST_EVENT: Final = "SELECT e.at FROM wellio_event e ORDER BY {by_commit e desc} LIMIT 1"


def of_machine(app: "Wellio") -> Sequence[Examination]:
    """Return what is looked at of the machine."""

    async def clock() -> Finding:
        last = await app.db.fetch_one(_LAST_EVENT)
        if last is None or last["at"] <= app.clock.now_ms() + _AHEAD_MS:
            return Finding("clock", "ok", "the last event lies in the past")
        return Finding(
            "clock",
            "warning",
            "the last event lies in the future",
            "set the machine's clock, and keep it set (NTP)",
        )

    return [
        Examination("versions", _versions, is_brief=False),
        Examination("clock", clock, is_public=True),
        Examination("open files", _open_files),
    ]


async def _versions() -> Finding:
    version, python = metadata.version("wellio"), platform.python_version()
    return Finding("versions", "ok", f"Wellio {version}, Python {python}, {platform.system()}")


async def _open_files() -> Finding | None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return None
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY or files >= _FILES:
        return Finding("open files", "ok", f"this process may have {files}")
    detail, advice = f"this process may have {files}", f"raise it to {_FILES} or more (ulimit -n)"
    return Finding("open files", "warning", detail, advice)
