"""What people do with API keys, and what ends them.

Whatever ends a key ends it in the instant of the commit: it is forgotten, and its sockets closed.
"""

from collections.abc import Sequence
from typing import Any

from wellio import (
    Actor,
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    JobRun,
    NotFound,
    PageQuery,
    Row,
    Slice,
    Tx,
    Wellio,
    invalid,
    new_id,
)
from wellio_auth.accounts import store as account_store
from wellio_auth.accounts.models import is_active
from wellio_auth.config import AuthConfig
from wellio_auth.credentials.digest import digest
from wellio_auth.credentials.judge import Judge
from wellio_auth.credentials.service import Credentials
from wellio_auth.mails.service import API_KEY_CREATED, Mails
from wellio_auth.permissions import CREATE_API_KEYS, MANAGE_API_KEYS

from . import store
from .models import MadeKey, NewApiKey
from .store import API_KEYS
from .token import make_token


class TooManyApiKeys(Conflict):
    """409: the account has as many API keys as it may have."""

    default_code, default_detail = "too_many_api_keys", "This account has too many API keys."


class ApiKeys:
    """Makes, lists and ends API keys."""

    def __init__(self, app: Wellio) -> None:
        self._app = app
        self._db, self._clock, self._audit = app.db, app.service(Judge), app.audit
        self._max = app.settings(AuthConfig).max_api_keys
        self._credentials = app.service(Credentials)
        self._mails = app.service(Mails)

    async def create(self, actor: Actor, new: NewApiKey) -> MadeKey:
        """Make a key for a program that acts in your name.

        The answer, and nothing else ever, holds the key. It can do what its scopes say, as far as
        you may still do it, and ends with your account.

        Raises:
            Invalid: A scope is none that the actor can give, or the end lies in the past.
            Conflict: The actor has too many already (`too_many_api_keys`).
        """
        now = self._clock.now_ms()
        _check(new, actor.permissions & self._app.policies.scopes, now)
        key_id = new_id()
        token = make_token(key_id)
        values = {
            "id": key_id,
            "user_id": actor.user_id,
            "note": new.note,
            "token_hash": digest(token),
            "scopes": sorted(set(new.scopes)),
            "expires_at": new.expires_at,
        }
        return MadeKey(await self._db.write(self._create, values, now), token)

    async def list(self, actor: Actor, query: PageQuery) -> Slice[Row]:
        """List your keys, the owner everybody's, the newest first."""
        return await store.page(self._db, query, _holder(actor), self._clock.now_ms())

    async def get(self, actor: Actor, key_id: str) -> Row:
        """Read what a key may do, and when it was last used.

        Raises:
            NotFound: It has ended, or is not there for this person.
        """
        row = await store.read(self._db, key_id, _holder(actor), self._clock.now_ms())
        if row is None:
            raise NotFound
        return row

    async def revoke(self, actor: Actor, key_id: str) -> None:
        """End a key, its sockets included, at once.

        Raises:
            NotFound: It has ended, or is not there for this person.
        """
        await self._db.write(self._revoke, key_id, actor)

    async def end_expired(self, run: JobRun) -> None:
        """End the keys whose time is up, so that no socket outlives its key."""
        while await self._db.write(self._end_expired):
            pass

    # -- in transactions

    def may_hold(self, user: Row) -> bool:
        """Tell whether an account may have keys."""
        held = self._app.policies.permissions_of(user["role"])
        return is_active(user) and CREATE_API_KEYS in held

    async def end_all(self, tx: Tx, user_id: str, reason: str, actor_id: str | None) -> None:
        """End an account's keys."""
        ended = await store.delete_of(tx, user_id)
        for key_id in ended:
            await self._note_end(tx, key_id, user_id, reason, actor_id)
        tx.after_commit(self._cut_off, ended)

    async def _create(self, tx: Tx, values: dict[str, Any], now: int) -> Row:
        user_id = values["user_id"]
        user = await account_store.lock_user(tx, user_id)
        if user is None or not self.may_hold(user):
            raise Forbidden  # that changed a moment ago
        if await store.count(tx, user_id, now) >= self._max:
            raise TooManyApiKeys
        row = await API_KEYS.insert(tx, values, now=now)
        await self._mails.enqueue_notice(tx, API_KEY_CREATED, user_id)
        await self._audit.record(
            tx,
            "api_key.created",
            "api_key",
            row["id"],
            actor_id=user_id,
            subject_id=user_id,
            details={"scopes": values["scopes"]},
        )
        return row

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
