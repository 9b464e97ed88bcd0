"""Health: whether the process lives, whether it can work, and how each part of it is."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from wellio.boot.hookspecs import HealthCheck
from wellio.errors import EndedProcess, NotFound, Unavailable
from wellio.observe.examinations.examination import Examination
from wellio.observe.log import get_logger
from wellio.wire import Wire

from .endpoint import endpoint

_BY_GRAVITY = ("ok", "degraded", "down")
_log = get_logger(__name__)
Status = Literal["ok", "degraded", "down"]


class Live(Wire):
    """The process answers."""

    status: Literal["ok"]


class Part(Wire):
    """How one thing is, and why it is not well."""

    status: Status
    reason: str | None = None


class PluginHealth(Wire):
    """How a plugin is: as bad as the worst of its checks."""

    status: Status
    checks: dict[str, Part]


class Health(Wire):
    """How everything is; `down` only when the core is, since the rest works without a plugin."""

    status: Status
    version: str
    checks: dict[str, Part]
    plugins: dict[str, PluginHealth]


@dataclass(frozen=True, slots=True)
class Check:
    """A check that is one function."""

    name: str
    check: Callable[[], Coroutine[Any, Any, str | None]]


class Probe:
    """Runs a check, never twice at once: whoever asks meanwhile gets the same answer."""

    def __init__(self, check: HealthCheck, timeout_s: float) -> None:
        self.name = check.name
        self._check = check
        self._timeout_s = timeout_s
        self._running: asyncio.Task[dict[str, Any]] | None = None

    async def part(self) -> dict[str, Any]:
        """Return how the thing is, as a `Part`."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await asyncio.shield(self._running)

    async def _ask(self) -> str | None:
        try:
            return await self._check.check()
        except SystemExit as error:
            raise EndedProcess from error

    async def _run(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._timeout_s):
                reason = await self._ask()
        except TimeoutError:
            return {"status": "down", "reason": "does not answer in time"}
        except Exception as error:  # noqa: BLE001 - whatever it is, the thing is down
            _log.warning("health check failed", check=self.name, exc_info=error)
            return {"status": "down", "reason": "failed; the log says why"}
        return {"status": "degraded", "reason": reason} if reason else {"status": "ok"}


class ExaminationProbe(Probe):
    """Asks an examination; what not everybody should read names `wellio doctor` instead."""

    def __init__(self, examination: Examination, timeout_s: float) -> None:
        super().__init__(Check(examination.name, self._told), timeout_s)
        self._examination = examination
        self._is_urgent = False

    async def _told(self) -> str | None:
        found = await self._examination.look()
        self._is_urgent = found is not None and found.status == "problem"
        if found is None or found.status == "ok":
            return None
        return found.detail if self._examination.is_public else "see `wellio doctor`"

    async def _run(self) -> dict[str, Any]:
        part = await super()._run()
        can_wait = part["status"] == "degraded" and not self._is_urgent
        return part | {"status": "ok"} if can_wait else part


class _Skipped(Probe):
    """Stands for a plugin that the start left out."""

    def __init__(self) -> None:
        self.name = "load"

    async def part(self) -> dict[str, Any]:
        return {"status": "down", "reason": "could not be loaded"}


class HealthApi:
    """`/livez`, `/readyz`, `/health`: open to everybody, so nothing here helps an attacker."""

    def __init__(
        self,
        version: str,
        *,
        ready: Callable[[], Coroutine[Any, Any, None]],
        core: Sequence[HealthCheck],
        examinations: Sequence[Examination] = (),
        plugins: Mapping[str, Sequence[HealthCheck]],
        skipped: Iterable[str] = (),
        timeout_s: float = 3.0,
    ) -> None:
        """Collect what to look at.

        Args:
            version: Wellio's own.
            ready: Raises unless requests can be answered.
            core: The core's checks.
            examinations: What else is looked at: a problem degrades, a warning is only told.
            plugins: The checks of each plugin that runs, by its name.
            skipped: Plugins that should run and do not.
            timeout_s: How long a check may take.
        """
        self._version = version
        self._core = [
            *(Probe(check, timeout_s) for check in core),
            *(ExaminationProbe(it, timeout_s) for it in examinations),
        ]
        self._plugins = {
            name: [Probe(check, timeout_s) for check in checks] for name, checks in plugins.items()
        }
        for name in skipped:
            self._plugins[name] = [_Skipped()]
        self._ready = Probe(Check("ready", ready), timeout_s)

    @endpoint("GET", "//livez", returns=Live, public=True)
    async def live(self, request: web.Request) -> dict[str, Any]:
        """Say that the process answers."""
        return {"status": "ok"}

    @endpoint("GET", "//readyz", returns=Live, public=True)
    async def ready(self, request: web.Request) -> dict[str, Any]:
        """Say whether requests can be answered: the database is migrated and can be written."""
        if (await self._ready.part())["status"] == "down":
            raise Unavailable("The database cannot be written.", retry_after_s=1)
        return {"status": "ok"}

    @endpoint("GET", "//health", returns=Health, public=True)
    async def health(self, request: web.Request) -> dict[str, Any]:
        """Say how the core and every plugin are."""
        core, *plugins = await asyncio.gather(
            _parts(self._core), *map(_parts, self._plugins.values())
        )
        parts = dict(zip(self._plugins, map(_summary, plugins), strict=True))
        status = _worst(core)
        if status == "ok" and _worst(parts) != "ok":
            status = "degraded"
        return {"status": status, "version": self._version, "checks": core, "plugins": parts}

    @endpoint("GET", "//health/{plugin}", returns=PluginHealth, public=True)
    async def plugin(self, request: web.Request) -> dict[str, Any]:
        """Say how one plugin is."""
        probes = self._plugins.get(request.match_info["plugin"])
        if probes is None:
            raise NotFound
        return _summary(await _parts(probes))


async def _parts(probes: Sequence[Probe]) -> dict[str, Any]:
    parts = await asyncio.gather(*(probe.part() for probe in probes))
    return {probe.name: part for probe, part in zip(probes, parts, strict=True)}


def _summary(checks: dict[str, Any]) -> dict[str, Any]:
    return {"status": _worst(checks), "checks": checks}


def _worst(parts: Mapping[str, Any]) -> str:
    return max((part["status"] for part in parts.values()), key=_BY_GRAVITY.index, default="ok")
