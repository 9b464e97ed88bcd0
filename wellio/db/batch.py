"""Coalescing for Postgres: callers of the same body that wait at once share its transaction."""

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Any, Final

from wellio.errors import Unavailable

from .base import Tx, run_batch

MAX_ITEMS: Final = 64

Body = Callable[[Tx, Sequence[Any]], Awaitable[Sequence[Any]]]
Waiting = tuple[Any, asyncio.Future[Any]]


class Batcher:
    """Runs one batch per body at a time; whoever comes meanwhile is in the next one."""

    def __init__(self, write: Callable[..., Awaitable[Any]]) -> None:
        self._write = write
        self._waiting: dict[Body, deque[Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, fn: Body, item: Any) -> asyncio.Future[Any]:
        """Add an item to the next batch of a body."""
        future = asyncio.get_running_loop().create_future()
        queue = self._waiting.get(fn)
        if queue is None:
            queue = self._waiting[fn] = deque()
            # In no context: the first caller's is not that of the others.
            task = asyncio.create_task(self._serve(fn, queue), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        queue.append((item, future))
        return future

    async def close(self) -> None:
        """Wait for every batch."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, fn: Body, queue: deque[Waiting]) -> None:
        while queue:
            batch = [queue.popleft() for _ in range(min(MAX_ITEMS, len(queue)))]
            await self._run(fn, [entry for entry in batch if not entry[1].done()])
        del self._waiting[fn]

    async def _run(self, fn: Body, batch: list[Waiting]) -> None:
        try:
            results = await self._write(run_batch, fn, [item for item, _ in batch])
        except Unavailable as error:  # the database's fault, not an item's
            results = [copy.copy(error) for _ in batch]
        except Exception as error:  # noqa: BLE001 - whatever a body raises is its caller's
            if len(batch) > 1:
                for entry in batch:
                    await self._run(fn, [entry])
                return
            results = [error]
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():  # its caller went away
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
