"""Accounts: how they are made, and what their holders and the owner change of them."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from wellio import (
    Account,
    Actor,
    Change,
    Conflict,
    ConstraintViolation,
    IfMatch,
    NotFound,
    Row,
    Slice,
    Tx,
    Wellio,
    address_key,
    invalid,
    preparing,
    sort_key,
)
from wellio_auth import events
from wellio_auth.api_keys.service import ApiKeys
from wellio_auth.credentials.attempts import Attempts
from wellio_auth.credentials.passwords import Passwords
from wellio_auth.credentials.service import Credentials
from wellio_auth.invitations import store as invitation_store
from wellio_auth.mails.service import PASSWORD_CHANGED, Mails
from wellio_auth.sessions.service import Sessions

from . import store
from .models import (
    PROFILE,
    MeChange,
    NewAccount,
    OwnAccount,
    PasswordChange,
    UserChange,
    UserQuery,
    is_active,
)
from .store import USERS


class AccountExists(Conflict):
    """409: the address has an account already."""

    default_code = "account_exists"

    def __init__(self) -> None:
        super().__init__("This e-mail address has an account already.")


class LastOwner(Conflict):
    """409: nobody who can sign in would be owner any more."""

    default_code, default_detail = "last_owner", "The practice needs an owner who can sign in."


class _OutdatedProof(Exception):
    """Another password is stored by now than the one that was compared."""


class Accounts:
    """Makes, lists and changes accounts."""

    def __init__(self, app: Wellio) -> None:
        self._app = app
        self._db, self._bus, self._clock = app.db, app.bus, app.clock
        self._audit = app.audit
        self._attempts = app.service(Attempts)
        self._passwords = app.service(Passwords)
        self._sessions = app.service(Sessions)
        self._mails = app.service(Mails)
        self._credentials = app.service(Credentials)
        self._api_keys = app.service(ApiKeys)

    async def create(
        self,
        tx: Tx,
        account: NewAccount,
        attributes: Mapping[str, Any],
        *,
        by_command: bool = False,
    ) -> Row:
        """Make an account, and in the same transaction what other plugins add to it.

        Args:
            tx: The transaction.
            account: The account.
            attributes: What is said beyond it; the account steps take what they know.
            by_command: Whether the machine makes it, and not the person themself.

        Raises:
            AccountExists: The address has one already.
        """
        now = self._clock.now_ms()
        values = {
            "email": account.email,
            "email_ci": address_key(account.email),
            "name": account.name,
            "name_key": sort_key(account.name),
            "role": account.role,
            "status": "active",
            "password_hash": account.password_hash,
            "last_login_at": None if by_command else now,  # who makes theirs is signed in with it
        }
        try:
            user = await USERS.insert(tx, values, now=now)
        except ConstraintViolation as error:
            if error.kind != "unique":
                raise
            raise AccountExists from None
        user_id, role = user["id"], user["role"]
        actor_id = None if by_command else user_id
        created = events.UserCreated(user_id=user_id, role=role, actor_id=actor_id)
        await self._bus.publish(tx, created, note=role)
        seen = Account(user_id, user["email"], user["name"], role)
        for step in self._app.hooks.of("register_account_steps"):
            await step.on_account(tx, seen, attributes)
        return user

    async def get(self, user_id: str) -> Row:
        """Read an account.

        Raises:
            NotFound: There is none.
        """
        user = await store.user_by_id(self._db, user_id)
        if user is None:
            raise NotFound
        return user

    async def me(self, actor: Actor) -> OwnAccount:
        """Read one's own account, and what one may do."""
        return OwnAccount(await self.get(actor.user_id), actor.permissions)

    async def list(self, query: UserQuery) -> Slice[Row]:
        """List accounts by name."""
        return await store.page(self._db, query, query.role, query.status)

    async def change_own(self, actor: Actor, change: MeChange, if_match: IfMatch) -> OwnAccount:
        """Change your name, phone, time zone or language; null empties what may be empty.

        Raises:
            PreconditionFailed: It is in another state than the actor insists on.
        """
        seen = partial(OwnAccount, permissions=actor.permissions)
        arguments = (actor.user_id, actor.user_id, change.given(), if_match, seen)
        return seen(await self._db.write(self._change, *arguments))

    async def change(
        self, actor: Actor, user_id: str, change: UserChange, if_match: IfMatch
    ) -> Row:
        """Change an account's name, role or status.

        It takes effect at once: the sessions and sockets of a disabled person end.

        Raises:
            NotFound: There is no such account.
            PreconditionFailed: It is in another state than the actor insists on.
            Conflict: Nobody who can sign in would be owner any more (`last_owner`).
        """
        return await self._db.write(self._change, actor.user_id, user_id, change.given(), if_match)

    async def change_by_command(self, user_id: str, values: Mapping[str, Any]) -> Row:
        """Change an account on the server's own authority: its name, address or status.

        Raises:
            AccountExists: The address has an account.
            Conflict: Nobody who can sign in would be owner any more (`last_owner`).
        """
        try:
            return await self._db.write(self._change, None, user_id, values, IfMatch())
        except ConstraintViolation as error:
            if error.kind != "unique":
                raise
            raise AccountExists from None

    async def _change(
        self,
        tx: Tx,
        actor_id: str | None,
        user_id: str,
        values: Mapping[str, Any],
        if_match: IfMatch,
        seen: Callable[[Row], Any] | None = None,
    ) -> Row:
        """Change an account; `seen` makes of the row what its `If-Match` is about."""
        owners = await store.lock_active_owners(tx)
        before = await store.lock_user(tx, user_id)
        if before is None:
            raise NotFound
        if_match.check(tx, seen(before) if seen else before)
        if "name" in values:
            values = {**values, "name_key": sort_key(values["name"])}
        if "email" in values:
            values = {**values, "email_ci": address_key(values["email"])}
        change = await USERS.change(tx, before, values, now=self._clock.now_ms())
        after = change.after
        if owners == {user_id} and (after["role"] != "owner" or not is_active(after)):
            raise LastOwner
        if change.changed:
            await self._tell(tx, change, actor_id)
            await self._enforce(tx, change, actor_id)
        return after

    async def _tell(self, tx: Tx, change: Change, actor_id: str | None) -> None:
        """Publish what changed, and write down whatever has no event of its own."""
        before, user_id = change.before, change.after["id"]
        details = " ".join(it for it in ("name", "email", *PROFILE) if it in change.changed)
        role = f"{before['role']} to {change.after['role']}" if "role" in change.changed else ""
        for action, note in (("user.updated", details), ("user.role_changed", role)):
            if note:
                await self._audit.record(tx, action, "user", user_id, actor_id=actor_id, note=note)
        if details or role:
            await self._bus.publish(tx, events.UserUpdated(user_id=user_id, actor_id=actor_id))
        if profile := {it: change.after[it] for it in PROFILE if it in change.changed}:
            for step in self._app.hooks.of("register_profile_steps"):
                await step.on_profile(tx, user_id, profile)
        if "status" in change.changed:
            kind = events.UserEnabled if is_active(change.after) else events.UserDisabled
            await self._bus.publish(tx, kind(user_id=user_id, actor_id=actor_id))

    async def _enforce(self, tx: Tx, change: Change, actor_id: str | None) -> None:
        """Take away what somebody may not have any more."""
        user, user_id = change.after, change.after["id"]
        has_new_role = "role" in change.changed
        if not is_active(user) or has_new_role:
            await invitation_store.delete_invitations_by(tx, user_id)
        if not self._api_keys.may_hold(user):
            reason = "role_changed" if is_active(user) else "disabled"
            await self._api_keys.end_all(tx, user_id, reason, actor_id)
        if not is_active(user):
            await self._sessions.end(tx, user_id, "disabled", actor_id)
        elif has_new_role:
            tx.after_commit(self._reconnect, user_id)

    def _reconnect(self, user_id: str) -> None:
        """Have a person's requests and sockets proven anew, with the rights they now have."""
        self._credentials.forget(user_id=user_id)
        self._app.hub.reconnect_user(user_id, "role_changed")

    async def change_password(self, actor: Actor, change: PasswordChange) -> None:
        """Change one's password; one's other sessions end.

        Raises:
            Invalid: The current password is wrong, or the new one too easy to guess.
            TooManyRequests: There were too many tries, or too many passwords are being worked on.
        """
        attempt = self._attempts.at_password(actor.user_id)
        while True:
            user = await self.get(actor.user_id)
            if not await self._passwords.verify(change.current, user["password_hash"]):
                with preparing():  # the refusal that follows is the answer, and no effect
                    await self._db.write(self._refuse_password, user["id"])
                raise invalid("/current", "wrong_password", "is not the password")
            attempt.was_none()
            await self._passwords.require_strong("/new", change.new, user["email"], user["name"])
            new_hash = await self._passwords.hash(change.new)
            with suppress(_OutdatedProof):
                return await self._db.write(self._change_password, user, new_hash, actor.session_id)

    async def set_password(self, user: Row, password: str) -> None:
        """Give somebody another password on the server's own authority; all their sessions end.

        Raises:
            Invalid: It is too easy to guess.
        """
        await self._passwords.require_strong("/password", password, user["email"], user["name"])
        new_hash = await self._passwords.hash(password)
        await self._db.write(self._set_password, user["id"], new_hash)

    async def _set_password(self, tx: Tx, user_id: str, new_hash: str) -> None:
        user = await store.lock_user(tx, user_id)
        if user is None:
            raise NotFound
        await USERS.change(tx, user, {"password_hash": new_hash}, now=self._clock.now_ms())
        await self._bus.publish(tx, events.PasswordChanged(user_id=user_id, actor_id=None))
        await self._mails.enqueue_notice(tx, PASSWORD_CHANGED, user_id)
        await self._sessions.end(tx, user_id, "password_changed", None)

    async def _refuse_password(self, tx: Tx, user_id: str) -> None:
        await self._audit.record(tx, "auth.password_refused", "user", user_id, actor_id=user_id)

    async def _change_password(
        self, tx: Tx, proven: Row, new_hash: str, session_id: str | None
    ) -> None:
        """Store the new hash, unless what was proven has changed meanwhile."""
        user_id = proven["id"]
        user = await store.lock_user(tx, user_id)
        if user is None or user["password_hash"] != proven["password_hash"]:
            raise _OutdatedProof
        await USERS.change(tx, user, {"password_hash": new_hash}, now=self._clock.now_ms())
        await self._bus.publish(tx, events.PasswordChanged(user_id=user_id, actor_id=user_id))
        await self._mails.enqueue_notice(tx, PASSWORD_CHANGED, user_id)
        await self._sessions.end(tx, user_id, "password_changed", user_id, but=session_id or "")
