"""Accounts: how they are made, and what their holders and the owner change of them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from wellio import (
    Account,
    Actor,
    Conflict,
    Event,
    IfMatch,
    NotFound,
    Tx,
    Wellio,
    decode_cursor,
    encode_cursor,
    invalid,
    new_id,
    page,
    preparing,
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
    MeChange,
    NewAccount,
    PasswordChange,
    User,
    UserChange,
    UserQuery,
    me_out,
    user_out,
)


class AccountExists(Conflict):
    """409: the address has an account already."""

    default_code = "account_exists"

    def __init__(self) -> None:
        super().__init__("This e-mail address has an account already.")


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
    ) -> User:
        """Make an account, and in the same transaction what other plugins add to it.

        Args:
            tx: The transaction.
            account: The account.
            attributes: What is said beyond it; the account steps take what they know.
            by_command: Whether the machine makes it, and not the person themself.

        Raises:
            AccountExists: The address has one already.
        """
        user = User(
            id=new_id(),
            email=account.email,
            name=account.name,
            role=account.role,
            status="active",
            password_hash=account.password_hash,
            created_at=self._clock.now_ms(),
        )
        last_login_at = None if by_command else user.created_at  # who makes theirs is signed in
        if not await store.insert_user(tx, user, last_login_at):
            raise AccountExists
        created = events.UserCreated(
            user_id=user.id, role=user.role, actor_id=None if by_command else user.id
        )
        await self._bus.publish(tx, created, note=user.role)
        seen = Account(user.id, user.email, user.name, user.role)
        for step in self._app.hooks.of("register_account_steps"):
            await step.on_account(tx, seen, attributes)
        return user

    async def get(self, user_id: str) -> User:
        """Return an account.

        Raises:
            NotFound: There is none.
        """
        user = await store.user_by_id(self._db, user_id)
        if user is None:
            raise NotFound
        return user

    async def list(self, query: UserQuery) -> dict[str, Any]:
        """Return a page of accounts by name."""
        after = decode_cursor(query.cursor, str, str) if query.cursor else ("", "")
        users = await store.list_users(
            self._db, after, query.limit + 1, query.role or "", query.status or ""
        )
        return page(users, query.limit, lambda user: encode_cursor(user.name, user.id), user_out)

    async def rename(self, actor: Actor, change: MeChange, if_match: IfMatch) -> User:
        """Change what people may change of their own account.

        Raises:
            PreconditionFailed: It is in another state than the actor insists on.
        """
        seen = partial(me_out, actor=actor)
        renamed = UserChange(name=change.name)
        return await self._db.write(
            self._change, actor.user_id, actor.user_id, renamed, if_match, seen
        )

    async def change(
        self, actor: Actor, user_id: str, change: UserChange, if_match: IfMatch
    ) -> User:
        """Change an account as the owner: name, role, status; effective at once.

        Raises:
            NotFound: There is no such account.
            PreconditionFailed: It is in another state than the actor insists on.
            Conflict: Nobody who can sign in would be owner any more (`last_owner`).
        """
        return await self._db.write(
            self._change, actor.user_id, user_id, change, if_match, user_out
        )

    async def _change(
        self,
        tx: Tx,
        actor_id: str,
        user_id: str,
        change: UserChange,
        if_match: IfMatch,
        seen: Callable[[User], dict[str, Any]],
    ) -> User:
        owners = await store.lock_active_owners(tx)
        before = await store.lock_user(tx, user_id)
        if before is None:
            raise NotFound
        if_match.check(tx, seen(before))
        after = replace(before, **change.model_dump(exclude_none=True))
        if after == before:
            return before
        if owners == {user_id} and (after.role != "owner" or not after.is_active):
            raise Conflict("The practice needs an owner who can sign in.", code="last_owner")
        await store.update_user(tx, after, self._clock.now_ms())
        for action, note in _audited(before, after):
            await self._audit.record(tx, action, "user", user_id, actor_id=actor_id, note=note)
        await self._bus.publish(tx, *_changes(before, after, actor_id))
        if not after.is_active or after.role != before.role:
            await invitation_store.delete_invitations_by(tx, user_id)
        if not self._api_keys.may_hold(after):
            reason = "role_changed" if after.is_active else "disabled"
            await self._api_keys.end_all(tx, user_id, reason, actor_id)
        if not after.is_active:
            await self._sessions.end(tx, user_id, "disabled", actor_id)
        elif after.role != before.role:
            tx.after_commit(self._reconnect, user_id)
        return after

    def _reconnect(self, user_id: str) -> None:
        """Have a person's requests and sockets proven anew, with the rights they now have."""
        self._credentials.forget(user_id=user_id)
        self._app.hub.close_user(user_id, "role_changed")

    async def change_password(self, actor: Actor, change: PasswordChange) -> None:
        """Change one's own password and end one's other sessions.

        Raises:
            Invalid: The current password is wrong, or the new one too easy to guess.
            TooManyRequests: There were too many tries, or too many passwords are being worked on.
        """
        self._attempts.at_password(actor.user_id)
        while True:
            user = await self.get(actor.user_id)
            if not await self._passwords.verify(change.current, user.password_hash):
                with preparing():  # the refusal that follows is the answer, and no effect
                    await self._db.write(self._refuse_password, user.id)
                raise invalid("/current", "wrong_password", "is not the password")
            await self._passwords.require_strong("/new", change.new, user.email, user.name)
            new_hash = await self._passwords.hash(change.new)
            with suppress(_OutdatedProof):
                return await self._db.write(self._change_password, user, new_hash, actor.session_id)

    async def _refuse_password(self, tx: Tx, user_id: str) -> None:
        await self._audit.record(tx, "auth.password_refused", "user", user_id, actor_id=user_id)

    async def _change_password(
        self, tx: Tx, proven: User, new_hash: str, session_id: str | None
    ) -> None:
        """Store the new hash, unless what was proven has changed meanwhile."""
        user = await store.lock_user(tx, proven.id)
        if user is None or user.password_hash != proven.password_hash:
            raise _OutdatedProof
        await store.set_password(tx, user.id, new_hash, self._clock.now_ms())
        await self._bus.publish(tx, events.PasswordChanged(user_id=user.id, actor_id=user.id))
        await self._mails.enqueue_notice(tx, PASSWORD_CHANGED, user.id)
        await self._sessions.end(tx, user.id, "password_changed", user.id, but=session_id or "")


def _changes(before: User, after: User, actor_id: str) -> list[Event]:
    told: list[Event] = []
    if (before.name, before.role) != (after.name, after.role):
        told.append(events.UserUpdated(user_id=after.id, actor_id=actor_id))
    if before.status != after.status:
        kind = events.UserEnabled if after.is_active else events.UserDisabled
        told.append(kind(user_id=after.id, actor_id=actor_id))
    return told


def _audited(before: User, after: User) -> Iterator[tuple[str, str]]:
    """Return what is written down beside the events: actions, each with its note."""
    if before.name != after.name:
        yield "user.updated", "name"
    if before.role != after.role:
        yield "user.role_changed", f"{before.role} to {after.role}"
