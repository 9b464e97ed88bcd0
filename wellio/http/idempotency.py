"""`Idempotency-Key`: a POST that is sent again has its effect once, and the same answer each time.

A row claims the key for the attempt that runs. The answer goes into it in the transaction of the
effect (`db/write_hook.py`): both are there or neither is, whatever is killed when. So a POST makes
one write, and returns what that returned; its endpoint's `reply` makes the answer of it, in the
transaction and again for the response. A write that raises is none; a second one is refused; what
must be written before the effect stands in `with preparing():`. A POST that writes nothing has its
answer kept afterwards.

An attempt that dies holds its key for a minute. Whoever takes it over keeps the other from writing
its effect. A refusal by the handler is an answer too, as it is with Stripe, unless a retry may fare
better: 5xx, 401, 429, and whatever says `Retry-After`. What is refused before the handler (401,
403, 404, 400, 413, 415, 422) claims nothing.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Self

import orjson
from aiohttp import web

from wellio.clock import Clock
from wellio.db.base import Database, Row, Tx
from wellio.db.write_hook import with_write_hook
from wellio.errors import (
    BadIdempotencyKey,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    PluginError,
    Problem,
    Unavailable,
)
from wellio.ids import new_id
from wellio.jobs.jobs import JobRun
from wellio.jobs.schedules import Schedule
from wellio.keys.crypto import Crypto
from wellio.observe.log import get_logger

from .problems import problem_response

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
MAX_CHARS: Final = 255
LEASE_MS: Final = 60_000
KEPT_MS: Final = 24 * 3_600_000
_TRIM_CHUNK: Final = 1_000
_KEY: Final = re.compile(rf"[ -~]{{1,{MAX_CHARS}}}")
_FOR_NOW: Final = frozenset({401, 429})
_log = get_logger(__name__)

_CLAIM = """
INSERT INTO wellio_idempotency (id, claim, request, answer, expires_at)
VALUES (:id, :claim, :request, NULL, :expires_at)
ON CONFLICT (id) DO UPDATE SET claim = excluded.claim, request = excluded.request, answer = NULL,
    expires_at = excluded.expires_at
WHERE wellio_idempotency.expires_at <= :now
RETURNING id
"""
_READ = "SELECT request, answer FROM wellio_idempotency WHERE id = :id"
_KEEP = """
UPDATE wellio_idempotency SET answer = :answer, expires_at = :expires_at
WHERE id = :id AND claim = :claim AND answer IS NULL
"""
_RELEASE = "DELETE FROM wellio_idempotency WHERE id = :id AND claim = :claim AND answer IS NULL"
TRIM = """
DELETE FROM wellio_idempotency WHERE expires_at <= :now AND id IN (
    SELECT id FROM wellio_idempotency WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
)
"""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a later attempt is answered too."""

    status: int
    headers: dict[str, str]
    body: str

    @classmethod
    def of(cls, response: web.StreamResponse) -> Self:
        """Take a response whose body is JSON or nothing.

        Raises:
            PluginError: It is another.
        """
        if not isinstance(response, web.Response) or not isinstance(response.body, bytes | None):
            raise PluginError("a POST with a key answers with JSON")
        headers = {str(name): value for name, value in response.headers.items()}
        return cls(response.status, headers, (response.body or b"").decode())

    def response(self) -> web.Response:
        """Return it for another attempt."""
        headers = {**self.headers, REPLAYED: "true"}
        return web.Response(status=self.status, headers=headers, body=self.body.encode() or None)


@dataclass(slots=True)
class _Attempt:
    """One request with a key, and the row that it claims.

    Attributes:
        id: The row's id.
        claim: This attempt's own id.
        request: What it asks for, hashed.
        purpose: Under which its answer is sealed.
        render: Makes the response of what the handler, and so its write, returned.
        kept: The answer that was committed with its effect.
    """

    id: str
    claim: str
    request: str
    purpose: str
    render: Callable[[Any], web.StreamResponse]
    kept: KeptAnswer | None = None

    def committed(self, kept: KeptAnswer) -> None:
        """Hear that the effect is there, and its answer with it."""
        self.kept = kept


class Idempotency:
    """The keys of one app."""

    def __init__(self, db: Database, clock: Clock, crypto: Crypto) -> None:
        self._db, self._clock, self._crypto = db, clock, crypto
        self._hash_key = crypto.derive("idempotency")

    async def once(
        self,
        request: web.Request,
        body: bytes,
        caller: str,
        run: Callable[[], Awaitable[Any]],
        render: Callable[[Any], web.StreamResponse],
    ) -> web.StreamResponse:
        """Answer a request with a key: by running it, or as it was answered before.

        Args:
            request: Carries the key.
            body: The request's body, as it came.
            caller: Who sends it; others' keys are others.
            run: Does what is asked for.
            render: Makes the response of what that returns.

        Raises:
            BadRequest: The key is no key.
            Invalid: `idempotency_key_reused`: it was sent with another request.
            Conflict: `idempotency_in_progress`: another attempt runs.
        """
        attempt = self._attempt(request, body, caller, render)
        if (other := await self._db.write(self._claim, attempt)) is not None:
            return self._answer_of(other, attempt)
        try:
            with with_write_hook(lambda tx, result: self._ride(tx, attempt, result)):
                result = await run()
        except Exception as error:
            await self._settle(attempt, error)
            raise
        response = render(result)
        answer = KeptAnswer.of(response)
        if attempt.kept is None:
            await self._db.write(self._keep, attempt, answer)
        elif attempt.kept != answer:
            raise PluginError("a POST with a key returns what its write returned; see `reply`")
        return response

    def trimming(self) -> Schedule:
        """Return the schedule that forgets what has expired."""
        return Schedule("wellio.trim_idempotency", "43 * * * *", self._trim)

    def _attempt(
        self,
        request: web.Request,
        body: bytes,
        caller: str,
        render: Callable[[Any], web.StreamResponse],
    ) -> _Attempt:
        keys = request.headers.getall(HEADER)
        if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
            raise BadIdempotencyKey(
                f"{HEADER} must be there once, with 1 to {MAX_CHARS} characters of ASCII."
            )
        whose = f"idempotency {caller} {keys[0]}"
        # The same JSON is the same request, however it is written.
        content = orjson.loads(body) if body else None
        resource = request.match_info.route.resource
        path = request.path if resource is None else resource.canonical
        target = [request.method, path, dict(request.match_info), request.rel_url.raw_query_string]
        what = orjson.dumps([*target, content], option=orjson.OPT_SORT_KEYS)
        return _Attempt(
            id=self._crypto.derive(whose).hex(),
            claim=new_id(),
            request=hashlib.blake2b(what, key=self._hash_key, digest_size=16).hexdigest(),
            purpose=f"{whose} answer",
            render=render,
        )

    def _answer_of(self, row: Row, attempt: _Attempt) -> web.Response:
        """Return the answer of another attempt with this key."""
        if row["request"] != attempt.request:
            raise IdempotencyKeyReused
        if row["answer"] is None:
            raise _in_progress()
        plain = self._crypto.unseal(attempt.purpose, row["answer"])
        return KeptAnswer(*orjson.loads(plain)).response()

    async def _settle(self, attempt: _Attempt, error: Exception) -> None:
        """Keep a refusal, or let the key go, unless the effect is there already."""
        if attempt.kept is not None:
            return
        try:
            if isinstance(error, Problem) and _is_final(error):
                answer = KeptAnswer.of(problem_response(error))
                await self._db.write(self._keep, attempt, answer)
            else:
                await self._db.write(self._release, attempt)
        except Unavailable as also:  # the caller hears of the first error; the lease ends by itself
            _log.warning("idempotency key not settled", code=also.code)

    # -- in transactions

    async def _claim(self, tx: Tx, attempt: _Attempt) -> Row | None:
        """Take the key for an attempt; return the row of another one that has it."""
        now = self._clock.now_ms()
        claimed = await tx.fetch_one(
            _CLAIM,
            id=attempt.id,
            claim=attempt.claim,
            request=attempt.request,
            expires_at=now + LEASE_MS,
            now=now,
        )
        if claimed is not None:
            return None
        if (row := await tx.fetch_one(_READ, id=attempt.id)) is None:
            raise _in_progress()  # it was let go just now
        return row

    async def _ride(self, tx: Tx, attempt: _Attempt, result: Any) -> None:
        """Keep the answer together with the effect, which is undone if that cannot be."""
        if attempt.kept is not None:
            raise PluginError("a POST with a key writes once; see `preparing`")
        answer = KeptAnswer.of(attempt.render(result))
        if not await self._keep(tx, attempt, answer):
            raise _in_progress()  # it took so long that another attempt runs
        tx.after_commit(attempt.committed, answer)

    async def _keep(self, tx: Tx, attempt: _Attempt, answer: KeptAnswer) -> int:
        plain = orjson.dumps([answer.status, answer.headers, answer.body])
        return await tx.execute(
            _KEEP,
            id=attempt.id,
            claim=attempt.claim,
            answer=self._crypto.seal(attempt.purpose, plain),
            expires_at=self._clock.now_ms() + KEPT_MS,
        )

    async def _release(self, tx: Tx, attempt: _Attempt) -> None:
        await tx.execute(_RELEASE, id=attempt.id, claim=attempt.claim)

    async def _trim(self, run: JobRun) -> None:
        while await run.db.write(self._trim_chunk, run.clock.now_ms()):
            pass

    async def _trim_chunk(self, tx: Tx, now: int) -> int:
        return await tx.execute(TRIM, now=now, limit=_TRIM_CHUNK)


def _is_final(problem: Problem) -> bool:
    """Say whether a retry would be refused again."""
    passes = problem.status in _FOR_NOW or "Retry-After" in problem.headers
    return problem.status < 500 and not passes


def _in_progress() -> Problem:
    return IdempotencyInProgress(retry_after_s=1)
