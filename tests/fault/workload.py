"""One run from an empty database to a verdict."""

import asyncio
import contextlib
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from tests.fault.checker import KINDS, Fault, Run, check
from tests.fault.clients import Sender, Site, Subscriber
from tests.fault.history import History, read
from tests.fault.nemesis import strike
from tests.fault.practice import Practice, found
from tests.fault.readers import read_all
from tests.fault.server import Server, serving
from tests.fault.sockets import PlainSocket, SocketIo
from wellio.testing.engines import EngineName

_SOCKETS: Final = (SocketIo, PlainSocket)
_SETTLE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Profile:
    """How large a run is.

    Attributes:
        clients: How many send; every other one over REST, the others through their sockets.
        rate: Messages that they offer in a second, all together.
        kills: How often the server is killed.
        groups: Conversations.
        pause_s: Least and most time between an acknowledgement and a kill.
    """

    clients: int
    rate: float
    kills: int
    groups: int
    pause_s: tuple[float, float] = (0.0, 0.3)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found."""

    title: str
    history: Path
    run: Run
    faults: list[Fault]
    unresolved: int
    exit_code: int
    integrity: str

    @property
    def kinds(self) -> set[str]:
        """Return the kinds of the faults."""
        return {fault.kind for fault in self.faults}

    @property
    def is_clean(self) -> bool:
        """Tell whether everything is as it must be."""
        is_sound = self.integrity in {"ok", "-"} and self.exit_code == 0
        return is_sound and not (self.faults or self.unresolved or self.run.refused)

    @property
    def details(self) -> str:
        """Return the line, the first faults and where to find the rest."""
        return "\n".join([str(self), *map(str, self.faults[:20]), f"history: {self.history}"])

    def __str__(self) -> str:
        """Return it in one line."""
        kinds = Counter(fault.kind for fault in self.faults)
        counts = self.run.counts
        return (
            f"{self.title}: {len(self.run.sends)} messages offered, "
            f"{len(self.run.acknowledged)} acknowledged, {counts['info']} tries without an answer, "
            f"{counts['fail']} refused, {self.unresolved} unresolved, {counts['kill']} kills, "
            + ", ".join(f"{kind} {kinds[kind]}" for kind in KINDS)
            + f", ready in at most {max(self.run.ready_s):.2f} s, "
            f"exit code {self.exit_code}, integrity {self.integrity}"
        )


async def run(
    engine: EngineName, folder: Path, profile: Profile, seed: int, broken: str | None = None
) -> Report:
    """Run a load against a server that is killed, and check what is left; print the verdict.

    Args:
        engine: On which database.
        folder: Takes the history, the data and the server's log.
        profile: How large.
        seed: Decides what the clients and the nemesis do.
        broken: A module of `breaks` to patch in; None for the product as it is.
    """
    folder.mkdir(parents=True)
    with History(folder / "history.jsonl") as history:
        async with serving(engine, folder, history, broken) as server:
            unresolved = await _play(server, history, profile, seed)
            exit_code = await server.stop()
            data_dir = server.build.data_dir
            integrity = _integrity(data_dir / "wellio.db") if engine == "sqlite" else "-"
    told = Run(read(history.path))
    title = f"{broken or 'wellio'} on {engine}, seed {seed}"
    report = Report(title, history.path, told, check(told), unresolved, exit_code, integrity)
    print(report)
    return report


async def _play(server: Server, history: History, profile: Profile, seed: int) -> int:
    """Set up, load, kill, heal and read; return how many messages stayed unresolved."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        practice = await found(http, server.url, profile.clients, profile.groups)
        site = Site(server, http, history)
        senders, subscribers = _cast(site, practice, seed)
        async with _running(senders, subscribers):
            await _catch_up(subscribers)
            await _load(site, senders, profile, _rng(seed, "nemesis"))
            unresolved = await _settle(senders)
            await _catch_up(subscribers)
            await read_all(site, practice)
    return unresolved


def _cast(site: Site, practice: Practice, seed: int) -> tuple[list[Sender], list[Subscriber]]:
    """Make the clients: half send over REST, and the sockets are of both protocols.

    The owner only listens, in all conversations, with one socket of each protocol.
    """
    subscribers = [
        Subscriber(f"owner-{kind.__name__}", practice.owner, kind, site, _rng(seed, kind.__name__))
        for kind in _SOCKETS
    ]
    senders = []
    for number, person in enumerate(practice.clients):
        name, kind = f"c{number:02}", _SOCKETS[number // 2 % 2]
        rng = _rng(seed, name)
        subscriber = Subscriber(name, person, kind, site, rng) if number % 2 else None
        senders.append(Sender(name, person, kind, site, rng, subscriber))
        subscribers += [subscriber] if subscriber else []
    return senders, subscribers


def _rng(seed: int, who: str) -> random.Random:
    return random.Random(f"{seed} {who}")  # noqa: S311 - a load is to be repeated, not secret


@contextlib.asynccontextmanager
async def _running(senders: list[Sender], subscribers: list[Subscriber]) -> AsyncIterator[None]:
    """Keep the subscribers subscribed; at the end nobody does anything any more."""
    async with asyncio.TaskGroup() as group:  # a subscriber that fails ends the run
        tasks = [group.create_task(subscriber.run()) for subscriber in subscribers]
        try:
            yield
        finally:
            for sender in senders:
                sender.abandon()
            for task in tasks:
                task.cancel()


async def _load(site: Site, senders: list[Sender], profile: Profile, rng: random.Random) -> None:
    interval_s, stop = profile.clients / profile.rate, asyncio.Event()
    async with asyncio.TaskGroup() as offers:
        for sender in senders:
            offers.create_task(sender.offer(interval_s, stop))
        await strike(site.server, site.history, profile.kills, profile.rate, profile.pause_s, rng)
        stop.set()


async def _catch_up(subscribers: list[Subscriber]) -> None:
    async with asyncio.timeout(_SETTLE_S):
        for subscriber in subscribers:
            await subscriber.catch_up()


async def _settle(senders: list[Sender]) -> int:
    """Wait until every message is resolved, and return how many are not in time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SETTLE_S):
            for sender in senders:
                await sender.settle()
    return sum(sender.unresolved for sender in senders)


def _integrity(path: Path) -> str:
    """Return what SQLite says about its file: ok, or what is wrong."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute("PRAGMA integrity_check").fetchall()
        rows += database.execute("PRAGMA foreign_key_check").fetchall()
    return "; ".join(str(row[0]) for row in rows)
