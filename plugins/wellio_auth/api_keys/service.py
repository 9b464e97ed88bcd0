"""What people do with API keys, and what ends them.

Whatever ends a key ends it in the instant of the commit: it is forgotten, and its sockets closed.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from wellio import (
    Actor,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    JobRun,
    NotFound,
    PageQuery,
    Tx,
    Wellio,
    decode_cursor,
    encode_cursor,
    invalid,
    new_id,
    page,
)
from wellio_auth.accounts import store as account_store
from wellio_auth.accounts.models import User
from wellio_auth.config import MAX_KEYS, AuthConfig
from wellio_auth.credentials.digest import digest
from wellio_auth.credentials.service import Credentials
from wellio_auth.mails.service import API_KEY_CREATED, Mails
from wellio_auth.permissions import CREATE_API_KEYS, MANAGE_API_KEYS

from . import store
from .models import NewApiKey, api_key_out
from .token import make_token


class ApiKeys:
    """Makes, lists and ends API keys."""

    def __init__(self, app: Wellio) -> None:
        self._app = app
        self._db, self._clock, self._audit = app.db, app.clock, app.audit
        self._max = app.settings(AuthConfig).max_api_keys
        self._credentials = app.service(Credentials)
        self._mails = app.service(Mails)

    async def create(self, actor: Actor, new: NewApiKey) -> dict[str, Any]:
        """Make a key; the answer alone holds it.

        Raises:
            Invalid: A scope is none that the actor can give, or the end lies in the past.
            Conflict: The actor has too many already (`too_many_api_keys`).
        """
        now = self._clock.now_ms()
        _check(new, actor.permissions & self._app.policies.scopes, now)
        key_id = new_id()
        token = make_token(key_id)
        row = {
            "id": key_id,
            "user_id": actor.user_id,
            "note": new.note,
            "token_hash": digest(token),
            "scopes": orjson.dumps(sorted(set(new.scopes))).decode(),
            "created_at": now,
            "expires_at": new.expires_at,
        }
        await self._db.write(self._create, row)
        return {**api_key_out({**row, "last_used_at": None}), "key": token}

    async def of(self, user_id: str) -> list[dict[str, Any]]:
        """Return a person's keys, all of them."""
        rows = await store.page(self._db, user_id, "", MAX_KEYS, self._clock.now_ms())
        return [api_key_out(row) for row in rows]

    async def list(self, actor: Actor, query: PageQuery) -> dict[str, Any]:
        """Return a page of keys, the newest first: one's own, for the owner all."""
        (before,) = decode_cursor(query.cursor, str) if query.cursor else ("",)
        now = self._clock.now_ms()
        rows = await store.page(self._db, _holder(actor), before, query.limit + 1, now)
        return page(rows, query.limit, lambda row: encode_cursor(row["id"]), api_key_out)

    async def get(self, actor: Actor, key_id: str) -> dict[str, Any]:
        """Return a key.

        Raises:
            NotFound: It has ended, or is not there for this person.
        """
        row = await store.read(self._db, key_id, _holder(actor), self._clock.now_ms())
        if row is None:
            raise NotFound
        return api_key_out(row)

    async def revoke(self, actor: Actor, key_id: str) -> None:
        """End a key.

        Raises:
            NotFound: It has ended, or is not there for this person.
        """
        await self._db.write(self._revoke, key_id, actor)

    async def end_expired(self, run: JobRun) -> None:
        """End the keys whose time is up, so that no socket outlives its key."""
        while await self._db.write(self._end_expired):
            pass

    # -- in transactions

    def may_hold(self, user: User) -> bool:
        """Tell whether an account may have keys."""
        return user.is_active and CREATE_API_KEYS in self._app.policies.permissions_of(user.role)

    async def end_all(self, tx: Tx, user_id: str, reason: str, actor_id: str | None) -> None:
        """End an account's keys."""
        ended = await store.delete_of(tx, user_id)
        for key_id in ended:
            await self._note_end(tx, key_id, user_id, reason, actor_id)
        tx.after_commit(self._cut_off, ended)

    async def _create(self, tx: Tx, row: dict[str, Any]) -> None:
        user = await account_store.lock_user(tx, row["user_id"])
        if user is None or not self.may_hold(user):
            raise Forbidden  # that changed a moment ago
        if await store.count(tx, user.id) >= self._max:
            raise Conflict("This account has too many API keys.", code="too_many_api_keys")
        await store.insert(tx, row)
        await self._mails.enqueue_notice(tx, API_KEY_CREATED, user.id)
        await self._audit.record(
            tx,
            "api_key.created",
            "api_key",
            row["id"],
            actor_id=user.id,
            subject_id=user.id,
            details={"scopes": orjson.loads(row["scopes"])},
        )

    async def _revoke(self, tx: Tx, key_id: str, actor: Actor) -> None:
        user_id = await store.delete(tx, key_id, _holder(actor))
        if user_id is None:
            raise NotFound
        await self._note_end(tx, key_id, user_id, "revoked", actor.user_id)
        tx.after_commit(self._cut_off, [key_id])

    async def _end_expired(self, tx: Tx) -> int:
        expired = await store.delete_expired(tx, self._clock.now_ms())
        for key_id, user_id in expired:
            await self._audit.record(
                tx, "api_key.expired", "api_key", key_id, actor_id=None, subject_id=user_id
            )
        tx.after_commit(self._cut_off, [key_id for key_id, _ in expired])
        return len(expired)

    async def _note_end(
        self, tx: Tx, key_id: str, user_id: str, reason: str, actor_id: str | None
    ) -> None:
        """Write down that a key was ended before its time."""
        await self._audit.record(
            tx,
            "api_key.revoked",
            "api_key",
            key_id,
            actor_id=actor_id,
            subject_id=user_id,
            note=reason,
        )

    def _cut_off(self, key_ids: Sequence[str]) -> None:
        self._credentials.forget(ids=key_ids)
        for key_id in key_ids:
            self._app.hub.close_session(key_id, "api_key_revoked")


def _check(new: NewApiKey, allowed: frozenset[str], now_ms: int) -> None:
    """Refuse what cannot be, all of it at once."""
    errors = [
        FieldError(f"/scopes/{index}", "unknown_scope", "is no permission that you can give")
        for index, scope in enumerate(new.scopes)
        if scope not in allowed
    ]
    if new.expires_at is not None and new.expires_at <= now_ms:
        errors += invalid("/expiresAt", "in_the_past", "must lie in the future").errors
    if errors:
        raise Invalid("Some fields are wrong.", errors=errors)


def _holder(actor: Actor) -> str:
    """Return whose keys an actor sees; nothing stands for everybody's."""
    return "" if actor.can(MANAGE_API_KEYS) else actor.user_id
