"""A file: the picture beside a win. The row has its key, `app.storage` its bytes.

A file is no part of a transaction: it is stored before one, and removed by a job after one.
"""

from collections.abc import AsyncIterable

from wellio import Actor, Job, JobRun, NotFound, Problem, Tx, Wellio

from . import store
from .config import HelloConfig
from .models import WINS

DROP = "hello.drop_picture"


class Pictures:
    """Keeps pictures, of which each win has one at most."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._storage, self._jobs, self._clock = app.db, app.storage, app.jobs, app.clock
        self._max_bytes = app.settings(HelloConfig).picture_bytes

    def job(self) -> Job:
        """Return what removes files."""
        return Job(DROP, self.drop)

    async def put(
        self, actor: Actor, client_id: str, win_id: str, content: AsyncIterable[bytes]
    ) -> None:
        """Put a picture beside a win that the actor noted, in the place of an earlier one.

        Raises:
            NotFound: There is no such win of this client's.
            Forbidden: Somebody else noted it.
            PayloadTooLarge: It is larger than the settings allow.
        """
        await self._db.write(store.own, actor, client_id, win_id)  # before anything is stored
        stored = await self._storage.put(content, max_bytes=self._max_bytes)
        try:
            await self._db.write(self._put, actor, client_id, win_id, stored.key)
        except Problem:
            await self._storage.delete(stored.key)
            raise

    async def read(self, client_id: str, win_id: str) -> bytes:
        """Return a win's picture, which is small enough to be held.

        Raises:
            NotFound: There is no such win of this client's, or no picture.
        """
        win = await store.of_client(self._db, client_id, win_id)
        if win["picture"] is None:
            raise NotFound
        return b"".join([piece async for piece in self._storage.read(win["picture"])])

    async def forget(self, tx: Tx, key: str | None) -> None:
        """Have a file removed once the transaction has committed."""
        if key is not None:
            await self._jobs.enqueue(tx, DROP, {"key": key})

    async def drop(self, run: JobRun) -> None:
        """Remove a file."""
        await self._storage.delete(run.payload["key"])

    async def _put(self, tx: Tx, actor: Actor, client_id: str, win_id: str, key: str) -> None:
        win = await store.own(tx, actor, client_id, win_id)
        await WINS.change(tx, win, {"picture": key}, now=self._clock.now_ms())
        await self.forget(tx, win["picture"])
