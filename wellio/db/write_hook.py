"""Write hooks: what goes through with the write that a task makes, or not at all.

So the answer to a request is stored in the very transaction of the request's effect, without the
code between them taking any part in it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .base import Tx, run_batch

WriteHook = Callable[[Tx, Any], Awaitable[None]]
"""Gets the transaction and what the body returned; what it raises undoes the body too."""

_Held = tuple["asyncio.Task[Any] | None", WriteHook]
_current: ContextVar[_Held | None] = ContextVar("write_hook", default=None)


@contextmanager
def with_write_hook(write_hook: WriteHook) -> Iterator[None]:
    """Have a hook go along with every write that this task makes meanwhile.

    Not with those of tasks that it starts: they may outlive what the hook is about.
    """
    token = _current.set((asyncio.current_task(), write_hook))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def preparing() -> Iterator[None]:
    """Have this task's writes go without a hook meanwhile.

    For a POST that cannot do with one transaction: what it writes before its effect stands in
    here, and is done again when the client has to try again.
    """
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def current_write_hook() -> WriteHook | None:
    """Return what goes along with a write that begins now."""
    held = _current.get()
    if held is None or held[0] is not asyncio.current_task():
        return None
    return held[1]


async def run_with(
    tx: Tx,
    write_hook: WriteHook,
    fn: Callable[..., Awaitable[Any]],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Run a body, and its hook after it."""
    result = await fn(tx, *args, **kwargs)
    await write_hook(tx, result)
    return result


async def run_alone(
    tx: Tx, fn: Callable[[Tx, Sequence[Any]], Awaitable[Sequence[Any]]], item: Any
) -> Any:
    """Run a batched body with one item, which has the transaction to itself."""
    [result] = await run_batch(tx, fn, [item])
    if isinstance(result, Exception):
        raise result
    return result
