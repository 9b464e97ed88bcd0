"""Login sessions: how they begin, go on and end.

Whatever ends a session ends it everywhere in the instant of the commit: its access tokens are
forgotten and its sockets closed.
"""

import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from wellio import (
    Actor,
    Conflict,
    JobRun,
    NotFound,
    PageQuery,
    Row,
    Slice,
    TooManyRequests,
    Tx,
    Unauthorized,
    Wellio,
    new_id,
)
from wellio_auth import events
from wellio_auth.accounts import store as account_store
from wellio_auth.accounts.models import is_active
from wellio_auth.config import AuthConfig
from wellio_auth.credentials.attempts import Attempts
from wellio_auth.credentials.digest import digest
from wellio_auth.credentials.judge import Judge
from wellio_auth.credentials.passwords import Passwords
from wellio_auth.credentials.service import Credentials
from wellio_auth.mails.service import REFRESH_TOKEN_REUSED, Mails
from wellio_auth.signing_keys.service import KeyRing

from . import store
from .models import Grant, Origin, OwnSession, SignedIn
from .refresh import RefreshToken, RefreshTokens, Rotation, Verdict, judge
from .store import SESSIONS

_EXPIRED = 100  # sessions that end in one transaction


class BadCredentials(Unauthorized):
    """401: no such account, wrong password or disabled: one answer for all three."""

    default_code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class BadRefreshToken(Unauthorized):
    """401: the refresh token is forged, or its session has ended: sign in again."""

    default_code = "invalid_refresh_token"
    codes: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"refresh_token_reused": "it was used before, so somebody has a copy: the session is over"}
    )

    def __init__(self, code: str | None = None) -> None:
        super().__init__("The session has ended; sign in again.", code=code)


class RefreshInProgress(Conflict):
    """409: another request has just exchanged this refresh token: read your store again."""

    default_code = "refresh_in_progress"
    default_detail = (
        "Another request of yours has just exchanged this token: read your store again, and use "
        "the newer one that it kept there."
    )


class Sessions:
    """Opens, refreshes, lists and ends sessions."""

    def __init__(self, app: Wellio) -> None:
        self._app = app
        self._db, self._bus, self._clock = app.db, app.bus, app.service(Judge)
        self._audit = app.audit
        self._settings = app.settings(AuthConfig)
        self._attempts = app.service(Attempts)
        self._passwords = app.service(Passwords)
        self._ring = app.service(KeyRing)
        self._mails = app.service(Mails)
        self._credentials = app.service(Credentials)
        self._tokens = RefreshTokens(app.crypto.derive("auth.refresh"))

    # -- beginning --------------------------------------------------------------------------

    async def log_in(self, email: str, password: str, origin: Origin) -> SignedIn:
        """Begin a session by password.

        Raises:
            BadCredentials: They are not right, or the account is disabled.
            TooManyRequests: There were too many tries, or too many passwords are being worked on.
        """
        attempt = self._attempts.at_account(email, origin)
        grant = None
        while grant is None:
            user = await account_store.user_by_email(self._db, email)
            stored: str | None = user["password_hash"] if user else None
            try:
                is_right = await self._passwords.verify(password, stored)
            except TooManyRequests:
                attempt.was_none()
                raise
            if user is None or stored is None or not is_right or not is_active(user):
                await self._db.write(self.refuse, user, _why_not(user, is_right=is_right))
                raise BadCredentials
            newer_hash = stored
            if self._passwords.is_outdated(stored):
                newer_hash = await self._passwords.hash(password)
            grant = await self._db.write(self.open_proven, user, newer_hash, origin)
        attempt.was_none()
        return self.answer(grant)

    async def open_proven(
        self, tx: Tx, proven: Row, newer_hash: str, origin: Origin
    ) -> Grant | None:
        """Begin a session for who gave the right password.

        Args:
            tx: The transaction.
            proven: The account as it was when the password was compared.
            newer_hash: What to store of the password from now on.
            origin: Where the login comes from.

        Returns:
            The session, or None when the account has changed meanwhile and must be proven again.
        """
        now = self._clock.now_ms()
        user = await account_store.begin_login(tx, proven, newer_hash, now)
        return await self.open(tx, user, origin) if user else None

    async def open(self, tx: Tx, user: Row, origin: Origin) -> Grant:
        """Begin a session for somebody who has proven who they are.

        The account's row is locked or new; the session unused longest gives way.
        """
        settings, now, user_id = self._settings, self._clock.now_ms(), user["id"]
        session_id = new_id()
        token = self._tokens.make(session_id, 0, secrets.token_hex(32))
        ends_at = now + settings.session_absolute_s * 1000
        await self._expire(tx, await store.delete_expired_of(tx, user_id, now))
        surplus = await store.delete_surplus_sessions(tx, user_id, settings.max_sessions - 1)
        await self.ended(tx, user_id, surplus, "too_many_sessions", None)
        session = {
            "id": session_id,
            "user_id": user_id,
            "token_hash": digest(token),
            "rotated_at": now,
            "last_seen_at": now,
            "expires_at": min(now + settings.session_idle_s * 1000, ends_at),
            "ends_at": ends_at,
            "ip": origin.ip,
            "user_agent": origin.user_agent,
        }
        await SESSIONS.insert(tx, session, now=now)
        await self._bus.publish(
            tx,
            events.LoggedIn(user_id=user_id, session_id=session_id, actor_id=user_id),
            subject_id=user_id,
            details={"userAgent": origin.user_agent},
        )
        tx.after_commit(self._attempts.remember, user["email"], origin)
        return Grant(user, session_id, token)

    async def refuse(self, tx: Tx, user: Row | None, reason: str) -> None:
        """Write down that somebody did not prove who they are, of an account or of none."""
        user_id = user["id"] if user else None
        await self._audit.record(
            tx, "auth.login_refused", "user", user_id, actor_id=None, note=reason
        )

    def answer(self, grant: Grant) -> SignedIn:
        """Return what the client keeps of a session, with a fresh access token."""
        user = grant.user
        access_token = self._ring.sign(user["id"], user["role"], grant.session_id)
        return SignedIn(user, access_token, grant.refresh_token, self._settings.access_token_s)

    # -- going on ---------------------------------------------------------------------------

    async def refresh(self, text: str, request_id: str) -> SignedIn:
        """Exchange a refresh token for the next one.

        Args:
            text: The token.
            request_id: Chosen by the client; a retry with the same one gets the same token.

        Raises:
            BadRefreshToken: It is forged, its session has ended, or it was used before: then the
                session ends now (`refresh_token_reused`).
            Conflict: Another request is just exchanging it (`refresh_in_progress`).
        """
        token = self._tokens.read(text)
        if token is None:
            raise BadRefreshToken
        outcome = await self._db.write(self._refresh, token, request_id)
        if isinstance(outcome, Grant):
            return self.answer(outcome)
        if outcome is Verdict.IN_PROGRESS:
            raise RefreshInProgress(retry_after_s=1)
        raise BadRefreshToken("refresh_token_reused" if outcome is Verdict.REUSED else None)

    async def _refresh(
        self, tx: Tx, token: RefreshToken, request_id: str
    ) -> Grant | Verdict | None:
        """Judge a token under the lock of its session; None when there is no session."""
        now = self._clock.now_ms()
        session = await store.lock_session(tx, token.session_id)
        if session is None or session["expires_at"] <= now:
            return None
        user = await account_store.user_by_id(tx, session["user_id"])
        if user is None or not is_active(user):
            return None
        request_hash = digest(request_id)
        race_ms = self._settings.refresh_race_s * 1000
        verdict = judge(Rotation.of(session), token, request_hash, now, race_ms)
        if verdict is Verdict.REUSED:
            await self._audit.record(
                tx,
                "auth.refresh_reused",
                "session",
                token.session_id,
                actor_id=None,
                subject_id=user["id"],
            )
            await self.end(tx, user["id"], "refresh_token_reused", None, only=token.session_id)
            await self._mails.enqueue_notice(tx, REFRESH_TOKEN_REUSED, user["id"])
        if verdict not in {Verdict.ROTATE, Verdict.REPEAT}:
            return verdict
        child = self._tokens.make(token.session_id, token.counter + 1, request_id)
        if verdict is Verdict.ROTATE:
            rotation = Rotation(digest(child), token.digest, request_hash, now)
            expires_at = min(now + self._settings.session_idle_s * 1000, session["ends_at"])
            await store.rotate_session(tx, token.session_id, rotation, expires_at)
        return Grant(user, token.session_id, child)

    # -- ending -----------------------------------------------------------------------------

    async def list(self, actor: Actor, query: PageQuery) -> Slice[OwnSession]:
        """List one's sessions, the one used last first."""
        found = await store.page(self._db, query, actor.user_id, self._clock.now_ms())
        shown = [OwnSession(row, row["id"] == actor.session_id) for row in found.rows]
        return Slice(shown, found.next_cursor)

    async def get(self, actor: Actor, session_id: str) -> OwnSession:
        """Read one of one's sessions.

        Raises:
            NotFound: It is not theirs, or has ended.
        """
        row = await store.read(self._db, session_id, actor.user_id, self._clock.now_ms())
        if row is None:
            raise NotFound
        return OwnSession(row, session_id == actor.session_id)

    async def revoke(self, actor: Actor, session_id: str) -> None:
        """End one of one's sessions.

        Raises:
            NotFound: It is not theirs, or has ended.
        """
        user_id = actor.user_id
        if not await self._db.write(self.end, user_id, "revoked", user_id, only=session_id):
            raise NotFound

    async def revoke_others(self, actor: Actor) -> None:
        """End one's sessions but the one of this request."""
        user_id, but = actor.user_id, actor.session_id or ""
        await self._db.write(self.end, user_id, "revoked", user_id, but=but)

    async def log_out(self, actor: Actor) -> None:
        """End the session of this request, its sockets included."""
        user_id, only = actor.user_id, actor.session_id
        if only is not None:
            await self._db.write(self.end, user_id, "logout", user_id, only=only)

    async def log_out_everywhere(self, actor: Actor) -> None:
        """End all one's sessions, this one too."""
        await self._db.write(self.end, actor.user_id, "logout", actor.user_id)

    async def end(
        self,
        tx: Tx,
        user_id: str,
        reason: str,
        actor_id: str | None,
        *,
        only: str = "",
        but: str = "",
    ) -> int:
        """End a person's sessions in a transaction: all, `only` one, or all `but` one.

        Returns:
            How many ended.
        """
        ended = await store.delete_sessions(tx, user_id, only=only, but=but)
        await self.ended(tx, user_id, ended, reason, actor_id)
        return len(ended)

    async def end_expired(self, run: JobRun) -> None:
        """End the sessions whose time is up, so that no socket outlives its session."""
        while await self._db.write(self._end_expired):
            pass
        await self._clock.keep()

    async def _end_expired(self, tx: Tx) -> int:
        expired = await store.delete_expired_sessions(tx, self._clock.now_ms(), _EXPIRED)
        await self._expire(tx, expired)
        return len(expired)

    async def _expire(self, tx: Tx, session_ids: Sequence[str]) -> None:
        """Note that sessions have run out, and cut them off with the commit."""
        for session_id in session_ids:
            await self._audit.record(
                tx, "auth.session_expired", "session", session_id, actor_id=None
            )
        tx.after_commit(self._cut_off, session_ids, "expired")

    async def ended(
        self, tx: Tx, user_id: str, session_ids: Sequence[str], reason: str, actor_id: str | None
    ) -> None:
        """Tell of sessions whose rows are gone, and cut them off with the commit."""
        for session_id in session_ids:
            await self._bus.publish(
                tx,
                events.SessionRevoked(
                    user_id=user_id, session_id=session_id, reason=reason, actor_id=actor_id
                ),
                subject_id=user_id,
                note=reason,
            )
        if session_ids:
            tx.after_commit(self._cut_off, session_ids, reason)

    def _cut_off(self, session_ids: Sequence[str], reason: str) -> None:
        self._credentials.forget(ids=session_ids)
        for session_id in session_ids:
            self._app.hub.close_session(session_id, reason)


def _why_not(user: Row | None, *, is_right: bool) -> str:
    if user is None:
        return "unknown_address"
    return "disabled" if is_right else "wrong_password"
