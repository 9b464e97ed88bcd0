"""`wellio doctor`: looks at everything that a practice's data depends on, and says what to do.

It only looks. What it prints holds no secret, no person's data and no path, so that it can be shown
to whoever helps.
"""

import asyncio
import os
import platform
import resource
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wellio.boot.hookspecs import HealthCheck
from wellio.config.settings import Config
from wellio.errors import WellioError

from .findings import Finding, Gravity

if TYPE_CHECKING:
    from wellio.boot.app import Wellio

_LOW_BYTES: Final = 1_000_000_000
_FULL_BYTES: Final = 100_000_000
_AHEAD_MS: Final = 60_000
_FILES: Final = 4096  # each open socket is one
_LAST_EVENT: Final = "SELECT at FROM wellio_event ORDER BY xid DESC, position DESC LIMIT 1"
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})


async def examine(app: "Wellio") -> list[Finding]:
    """Look at an app, running or not, its data folder, database and plugins.

    Returns:
        What was found, in the order of the looks.
    """
    return [
        _versions(),
        *await asyncio.to_thread(_folder, app.config.data_dir),
        *await asyncio.to_thread(_elsewhere, app.config),
        *await app.db.examine(),
        await _clock(app),
        *await _work(app),
        *_settings(app),
        _leftover(app.hooks.plugins.leftover),
        *[
            await _health(owner, check)
            for owner, checks in app.hooks.by_plugin("register_health_checks").items()
            for check in checks
        ],
    ]


def worst(findings: Sequence[Finding]) -> Gravity:
    """Return the gravest status of all."""
    found = {finding.status for finding in findings}
    return "problem" if "problem" in found else "warning" if "warning" in found else "ok"


def _versions() -> Finding:
    version, python = metadata.version("wellio"), platform.python_version()
    return Finding("versions", "ok", f"Wellio {version}, Python {python}, {platform.system()}")


def _folder(folder: Path) -> list[Finding]:
    open_to_others = sorted(
        path.name
        for path in (folder, folder / "secrets", *(folder / "secrets").glob("*"))
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    )
    strangers = folder.stat().st_uid != os.geteuid()
    return [
        Finding("data folder", "ok", "only its owner can read it and its secrets")
        if not open_to_others
        else Finding(
            "data folder",
            "problem",
            f"other users can read: {', '.join(open_to_others)}",
            "chmod 700 the folders and 600 the files",
        ),
        Finding("owner", "ok", "the data folder is this user's")
        if not strangers
        else Finding(
            "owner",
            "warning",
            "the data folder is another user's",
            "run Wellio and its commands as one user",
        ),
        _space("disk space", folder),
    ]


def _elsewhere(config: Config) -> list[Finding]:
    """Look at what a setting put outside of the data folder."""
    found = []
    files, anchors = config.storage.folder, config.audit.anchor_file
    if files is not None and files.exists():
        found += [_privacy("files folder", files), _space("files' disk space", files)]
    if anchors is not None and anchors.exists():
        found += [_privacy("audit anchors", anchors)]
    return found


def _privacy(name: str, path: Path) -> Finding:
    if not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding(name, "ok", "only its owner can read it")
    mode = "700" if path.is_dir() else "600"
    return Finding(name, "problem", "other users can read it", f"chmod {mode} it")


def _space(name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    status: Gravity = "ok" if free > _LOW_BYTES else "warning" if free > _FULL_BYTES else "problem"
    advice = "" if status == "ok" else "make room: without it nothing can be written"
    return Finding(name, status, f"{free / 1e9:.1f} GB are free", advice)


async def _clock(app: "Wellio") -> Finding:
    last = await app.db.fetch_one(_LAST_EVENT)
    if last is None or last["at"] <= app.clock.now_ms() + _AHEAD_MS:
        return Finding("clock", "ok", "the last event lies in the past")
    return Finding(
        "clock",
        "warning",
        "the last event lies in the future",
        "set the machine's clock, and keep it set (NTP)",
    )


async def _work(app: "Wellio") -> list[Finding]:
    status = await app.bus.status()
    dead = {"jobs": status["jobs"]["dead"]}
    dead |= {name: it["dead"] for name, it in status["subscribers"].items()}
    given_up = [f"{name}: {count}" for name, count in dead.items() if count]
    if not given_up:
        return [Finding("background work", "ok", "nothing was given up")]
    return [
        Finding(
            "background work",
            "warning",
            f"given up: {', '.join(given_up)}",
            "`wellio outbox` shows why, `wellio outbox --retry` tries again",
        )
    ]


def _settings(app: "Wellio") -> Iterator[Finding]:
    server = app.config.server
    is_open = server.host not in _LOCAL
    if is_open and not server.url.startswith("https:"):
        yield Finding(
            "https",
            "warning",
            "other machines can connect, and public_url is not https",
            "put a proxy with TLS in front, and set [server] public_url",
        )
    else:
        yield Finding("https", "ok", "nobody is asked to connect without TLS")
    if app.config.limits.enabled:
        yield Finding("limits", "ok", "on")
    else:
        advice = "set [limits] enabled = true"
        yield Finding("limits", "warning", "off: passwords can be guessed", advice)
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough: Gravity = "ok" if files >= _FILES else "warning"
    advice = "" if enough == "ok" else f"raise it to {_FILES} or more (ulimit -n)"
    yield Finding("open files", enough, f"this process may have {files}", advice)


def _leftover(names: Sequence[str]) -> Finding:
    if not names:
        return Finding("removed plugins", "ok", "none left tables behind")
    return Finding(
        "removed plugins",
        "warning",
        f"tables are left of: {', '.join(names)}",
        "install the plugin again; an erasure is not complete while they are there",
    )


async def _health(owner: str, check: HealthCheck) -> Finding:
    name = f"{owner}: {check.name}"
    try:
        reason = await check.check()
    except WellioError as error:
        return Finding(name, "problem", str(error))
    return Finding(name, "warning", reason) if reason else Finding(name, "ok", "well")


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
