"""A process that publishes and delivers until it is killed: `python -m tests.core.events.victim`.

It prints each thing once its commit is acknowledged.
"""

import asyncio
import random
import sys
from itertools import count
from pathlib import Path

from tests.core.events.conftest import Node, Noted, effect
from wellio.clock import SystemClock
from wellio.db import connect
from wellio.db.base import Tx
from wellio.jobs.jobs import Job, JobRun
from wellio.testing.deadline import DEADLINE_S


def build(node: Node, *, failing: float) -> Node:
    """Give a node two followers, one of which fails now and then, and two kinds of jobs."""

    async def stumble(tx: Tx, event: Noted) -> None:
        await effect(tx, "stumbling", event.thing_id)
        if random.random() < failing:  # noqa: S311 - chance, not a secret
            raise LookupError

    async def enqueue(tx: Tx, event: Noted) -> None:
        await effect(tx, "steady", event.thing_id)
        await node.jobs.enqueue(tx, "thing.once", {"id": event.thing_id})
        await node.jobs.enqueue(tx, "thing.send", {"id": event.thing_id})

    async def once(run: JobRun) -> None:
        async def body(tx: Tx) -> None:
            await effect(tx, "once", run.payload["id"])
            await run.finish(tx)

        await run.db.write(body)

    async def send(run: JobRun) -> None:
        await run.db.write(effect, "send", run.payload["id"])

    node.bus.subscribe_durable("steady", Noted, enqueue)
    node.bus.subscribe_durable("stumbling", Noted, stumble)
    node.jobs.register(Job("thing.once", once), Job("thing.send", send))
    return node


async def main(url: str, data_dir: str, life: str) -> None:
    """Publish without end."""
    db = await connect(url, data_dir=Path(data_dir), deadline_s=DEADLINE_S)
    node = build(Node(db, SystemClock(), "victim"), failing=0.05)
    await node.start(workers=True)
    for number in count():
        things = [f"{life}.{number}.{n}" for n in range(5 if number % 3 == 0 else 1)]
        await node.note(*things)
        print(*(f"acknowledged {thing}" for thing in things), sep="\n", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
