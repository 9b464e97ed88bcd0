"""Sends are answered when their statements have run, and the commit comes a little later."""

from collections.abc import Sequence
from typing import Any

from tests.fault.patching import slow_commits, wrap
from wellio.db.batch import Batcher
from wellio.db.writer import Request, Writer


def apply() -> None:
    """Break both engines."""
    slow_commits()
    wrap(Writer, "_run_unit", _on_sqlite)
    wrap(Batcher, "_run", _on_postgres)


def _on_sqlite(run_unit: Any) -> Any:
    def eager(writer: Writer, unit: list[Request], done: list[Request]) -> None:
        run_unit(writer, unit, done)
        for request in unit:
            if request.is_batched and request in done and request.error is None:
                loop = request.future.get_loop()
                loop.call_soon_threadsafe(_answer, request.future, request.result)

    return eager


def _on_postgres(run: Any) -> Any:
    async def eager(batcher: Batcher, fn: Any, batch: Sequence[Any]) -> None:
        async def body(tx: Any, items: Sequence[Any]) -> Any:
            results = await fn(tx, items)
            for (_, future), result in zip(batch, results, strict=True):
                if not isinstance(result, Exception):
                    _answer(future, result)
            return results

        await run(batcher, body, batch)

    return eager


def _answer(future: Any, result: Any) -> None:
    if not future.done():
        future.set_result(result)
