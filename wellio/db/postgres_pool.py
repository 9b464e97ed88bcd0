"""The connections to Postgres: how they are opened, and what each is made sure of."""

import os
from typing import Final
from urllib.parse import urlsplit

import asyncpg

from wellio.errors import DatabaseError

from .postgres_examination import POOLER, is_pooled
from .postgres_tx import DRIVER, Connection

_CONNECT_S: Final = 3.0
_NAMED: Final = {"application_name": "wellio"}
#: What each connection is opened with, as `pg_settings` has it.
SESSION: Final = {
    "jit": "off",
    "idle_in_transaction_session_timeout": "15000",
    "lock_timeout": "500",  # ends a deadlock sooner than the server, which looks after 1 s
}


async def open_pool(url: str, pool_size: int) -> asyncpg.Pool:
    """Connect, to see that one can, and return a pool of at most so many connections.

    Raises:
        DatabaseError: One cannot; the message says where and why, and has no user and no password.
    """
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=0,  # a floor would be restored, and logged about, while a server is away
            max_size=pool_size,
            init=_prepare,
            reset=_keep,
            timeout=_CONNECT_S,
            statement_cache_size=1000,
            max_cached_statement_lifetime=0,
            server_settings=_NAMED | SESSION,
        )
        await pool.release(await pool.acquire())
    except asyncpg.TooManyConnectionsError as error:
        more = f"{pool_size} connections needed"
        raise DatabaseError(f"cannot connect to Postgres: {error}; {more}") from error
    except DRIVER as error:
        if is_pooled(error):
            raise DatabaseError(POOLER) from error
        raise DatabaseError(
            f"cannot connect to Postgres at {_where(url)}: {_why(error)}"
        ) from error
    except ValueError:  # it may quote the URL, with what the password is
        raise DatabaseError(
            "database.url cannot be read: percent-encode what is special in user and password"
        ) from None
    return pool


def _where(url: str) -> str:
    """Return the hosts and ports of an address that `database_url.readable` let through."""
    hosts = urlsplit(url).netloc.rpartition("@")[2]
    if not hosts:
        return "its socket"
    has_port = [
        host if ":" in host.rpartition("]")[2] else f"{host}:5432" for host in hosts.split(",")
    ]
    return ", ".join(has_port)


def _why(error: Exception) -> str:
    """Return in words why a connection could not be made."""
    if isinstance(error, TimeoutError):
        return f"it does not answer within {_CONNECT_S:g} s"
    if isinstance(error, OSError):
        number = error.errno or 0
        return os.strerror(number) if number > 0 else error.strerror or "it cannot be reached"
    return str(error)


async def _keep(connection: Connection) -> None:
    """Reset nothing: no body changes the session, and asyncpg rolls back what was left open."""


async def _prepare(connection: Connection) -> None:
    """Set up a new connection: numbers as int or float, and commits that are durable."""
    await connection.set_type_codec(
        "numeric", schema="pg_catalog", encoder=str, decoder=_number, format="text"
    )
    settings = await connection.fetchrow(
        "SELECT current_setting('synchronous_commit'), current_setting('fsync')"
    )
    if settings[0] not in {"on", "remote_apply"}:
        await connection.execute("SET synchronous_commit = on")
    if settings[1] != "on":
        raise DatabaseError("Postgres runs with fsync = off: what it commits may be lost")


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
