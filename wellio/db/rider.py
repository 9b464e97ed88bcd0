"""A rider: what goes through with the write that a task makes, or not at all.

The word is that for a clause added to a bill. It is how the answer to a request is stored in the
very transaction of the request's effect, without the code between them taking any part in it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .base import Tx, run_batch

Rider = Callable[[Tx, Any], Awaitable[None]]
"""Gets the transaction and what the body returned; what it raises undoes the body too."""

_Ride = tuple["asyncio.Task[Any] | None", Rider]
_ride: ContextVar[_Ride | None] = ContextVar("ride", default=None)


@contextmanager
def riding(rider: Rider) -> Iterator[None]:
    """Have a rider go along with every write that this task makes meanwhile.

    Not with those of tasks that it starts: they may outlive what the rider is about.
    """
    token = _ride.set((asyncio.current_task(), rider))
    try:
        yield
    finally:
        _ride.reset(token)


@contextmanager
def preparing() -> Iterator[None]:
    """Have this task's writes go without a rider meanwhile.

    For a POST that cannot do with one transaction: what it writes before its effect stands in
    here, and is done again when the client has to try again.
    """
    token = _ride.set(None)
    try:
        yield
    finally:
        _ride.reset(token)


def current_rider() -> Rider | None:
    """Return what goes along with a write that begins now."""
    ride = _ride.get()
    if ride is None or ride[0] is not asyncio.current_task():
        return None
    return ride[1]


async def run_with(
    tx: Tx,
    rider: Rider,
    fn: Callable[..., Awaitable[Any]],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Run a body, and its rider after it."""
    result = await fn(tx, *args, **kwargs)
    await rider(tx, result)
    return result


async def run_alone(
    tx: Tx, fn: Callable[[Tx, Sequence[Any]], Awaitable[Sequence[Any]]], item: Any
) -> Any:
    """Run a batched body with one item, which has the transaction to itself."""
    [result] = await run_batch(tx, fn, [item])
    if isinstance(result, Exception):
        raise result
    return result
