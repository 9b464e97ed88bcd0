"""What is looked at of a Postgres server, and of what stands between it and Wellio."""

from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg

from wellio.observe.examinations.examination import Examination
from wellio.observe.findings import Finding

from .base import Database
from .postgres_tx import DRIVER, translate

_DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")
_SETTINGS: Final = "SELECT name, setting FROM pg_settings WHERE name {in names}"
_ENCODING: Final = "SELECT current_setting('server_encoding') AS encoding"
_STANDBY: Final = "SELECT pg_is_in_recovery() AS is_standby"
#: How many connections are allowed, by whom; -1 is any number. A superuser's role and database may
#: have as many as the server.
_LIMITS: Final = """
SELECT CASE WHEN r.rolsuper THEN -1 ELSE r.rolconnlimit END AS role,
    CASE WHEN r.rolsuper THEN -1 ELSE d.datconnlimit END AS database,
    CAST(current_setting('max_connections') AS BIGINT)
        - CASE WHEN r.rolsuper THEN 0
          ELSE CAST(current_setting('superuser_reserved_connections') AS BIGINT) END AS server
FROM pg_roles AS r, pg_database AS d
WHERE r.rolname = current_user AND d.datname = current_database()
"""
#: How a pooler fails that gives each transaction another connection: a statement is not where it
#: was prepared, or is where another was.
POOLED: Final = (
    asyncpg.DuplicatePreparedStatementError,
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.ProtocolViolationError,
)
_SAID: Final = (
    "a pooler stands in between that gives each transaction another connection (transaction "
    "pooling), or keeps settings from the server: Wellio needs connections of its own"
)
_ADVICE: Final = (
    "name the Postgres server itself, or a pooler of sessions (PgBouncer: pool_mode = session)"
)
_PID: Final = "SELECT pg_backend_pid()"
_SESSION: Final = "SELECT name, setting FROM pg_settings WHERE name = ANY($1)"
_ROUNDS: Final = 3
#: What a start says that a pooler ends before it is looked for.
POOLER: Final = f"{_SAID}: {_ADVICE}"


class PostgresExaminations:
    """Looks at the server of a database."""

    def __init__(
        self, db: Database, pool: asyncpg.Pool, pool_size: int, session: Mapping[str, str]
    ) -> None:
        """Prepare to look.

        Args:
            db: The database.
            pool: Its connections.
            pool_size: How many there may be.
            session: Settings that each of them was opened with, as `pg_settings` has them.
        """
        self._db, self._pool = db, pool
        self._pool_size, self._session = pool_size, session

    def all(self) -> Sequence[Examination]:
        """Return what is looked at; first of what stops a start is what the rest needs."""
        return [
            Examination("postgres", self._version, is_brief=False),
            Examination("durability", self._durability, is_brief=False),
            Examination("standby", self._standby, is_public=True, stops=True),
            Examination("encoding", self._encoding, is_brief=False, stops=True),
            Examination("connections", self._connections, is_brief=False, stops=True),
            Examination("pooler", self._pooler, is_brief=False, stops=True),
        ]

    async def _version(self) -> Finding:
        [row] = await self._db.fetch_all(_SETTINGS, names=["server_version"])
        return Finding("postgres", "ok", f"Postgres {row['setting']}")

    async def _durability(self) -> Finding:
        rows = await self._db.fetch_all(_SETTINGS, names=list(_DURABLE))
        off = [row["name"] for row in rows if row["setting"] == "off"]
        if not off:
            names = "fsync, synchronous_commit and full_page_writes"
            return Finding("durability", "ok", f"{names} are on")
        return Finding(
            "durability",
            "problem",
            f"{', '.join(off)} off: a commit may not survive a power cut",
            "switch on what is off in postgresql.conf",
        )

    async def _standby(self) -> Finding:
        [row] = await self._db.fetch_all(_STANDBY)
        if not row["is_standby"]:
            return Finding("standby", "ok", "the server is a primary")
        detail = "this Postgres server is a standby, which only reads"
        return Finding("standby", "problem", detail, "name the primary in database.url")

    async def _encoding(self) -> Finding:
        [row] = await self._db.fetch_all(_ENCODING)
        if row["encoding"] == "UTF8":
            return Finding("encoding", "ok", "UTF8")
        detail = f"encoding {row['encoding']}, UTF8 needed"
        advice = "make another database: CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        return Finding("encoding", "problem", detail, advice)

    async def _connections(self) -> Finding:
        needed = self._pool_size
        [row] = await self._db.fetch_all(_LIMITS)
        low = [(row[who], who) for who in ("role", "database", "server") if -1 < row[who] < needed]
        if not low:
            return Finding("connections", "ok", f"the {needed} that Wellio opens are allowed")
        limit, who = min(low)
        return Finding(
            "connections",
            "problem",
            f"the {who} allows {limit} connections, {needed} needed",
            f"raise the connection limit of the {who} to {needed} or more",
        )

    async def _pooler(self) -> Finding:
        if await _is_pooled(self._pool, self._session):
            return Finding("pooler", "problem", _SAID, _ADVICE)
        return Finding("pooler", "ok", "each connection is one of the server's")


async def _is_pooled(pool: asyncpg.Pool, session: Mapping[str, str]) -> bool:
    """Tell whether a connection of ours is not one of the server's for as long as it is open.

    Three things show it: a setting that we opened it with is not there; a statement that we
    prepared on it is not; or a second connection, in a transaction, is served by what serves the
    first, or pushes it to another.
    """
    try:
        async with pool.acquire() as first, pool.acquire() as second:
            rows = await first.fetch(_SESSION, list(session))
            if {row["name"]: row["setting"] for row in rows} != dict(session):
                return True
            for _ in range(_ROUNDS):
                before = await first.fetchval(_PID)
                async with second.transaction():
                    between = await second.fetchval(_PID)
                    after = await first.fetchval(_PID)
                if before != after or between == before:
                    return True
    except POOLED as error:
        return is_pooled(error)
    except DRIVER as error:
        raise translate(error) from error
    return False


def is_pooled(error: Exception) -> bool:
    """Tell whether an error while connecting is that of a pooler which Wellio cannot use."""
    return isinstance(error, POOLED) or "unsupported startup parameter" in str(error)
