"""Subscribers are told when the statements have run, and the commit comes a little later."""

from typing import Any

from tests.fault.patching import slow_commits, wrap
from wellio.db.postgres import PostgresDatabase
from wellio.db.writer import Request, Writer


def apply() -> None:
    """Break both engines."""
    slow_commits()
    wrap(Writer, "_run_unit", _on_sqlite)
    wrap(PostgresDatabase, "_commit", _on_postgres)


def _on_sqlite(run_unit: Any) -> Any:
    def eager(writer: Writer, unit: list[Request], done: list[Request]) -> None:
        run_unit(writer, unit, done)
        for request in unit:
            callbacks, request.callbacks = request.callbacks, []
            for fn, args in callbacks:
                request.future.get_loop().call_soon_threadsafe(fn, *args)

    return eager


def _on_postgres(commit: Any) -> Any:
    async def eager(database: PostgresDatabase, connection: Any, tx: Any) -> None:
        callbacks, tx.callbacks = tx.callbacks, []
        for fn, args in callbacks:
            fn(*args)
        await commit(database, connection, tx)

    return eager
