"""Set-up: the first account, made once by whoever holds the link that `wellio serve` prints.

There is never a default password. The link's token lives in memory, as a hash, so a restart while
the practice has no owner issues another. One row in the database says that the practice is set up;
of two set-ups at the same time, one inserts it.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from wellio import (
    ConfigError,
    Conflict,
    Forbidden,
    Invalid,
    Row,
    Tx,
    Wellio,
    invalid,
)
from wellio_auth.accounts.models import NewAccount
from wellio_auth.accounts.service import AccountExists, Accounts
from wellio_auth.config import AuthConfig
from wellio_auth.credentials.attempts import Attempts
from wellio_auth.credentials.digest import digest
from wellio_auth.credentials.judge import Judge
from wellio_auth.credentials.passwords import Passwords
from wellio_auth.sessions.models import Grant, Origin, SignedIn
from wellio_auth.sessions.service import Sessions

from . import store
from .models import NewUser, PracticeSetup, SetupRequest


class AlreadySetUp(Conflict):
    """409: the practice has its owner."""

    default_code = "already_set_up"

    def __init__(self) -> None:
        super().__init__("This practice is set up; sign in.")


class BadSetupToken(Forbidden):
    """403: the set-up link is wrong or has expired; a restart prints a new one."""

    default_code = "bad_setup_token"
    default_detail = "The set-up link is wrong or has expired; restart Wellio for a new one."


class OwnerFirst(Conflict):
    """409: there is no owner yet."""

    default_code, default_detail = "owner_first", "Make the owner first."


class Setup:
    """Makes the owner by link or unattended, and accounts from the command line."""

    def __init__(self, app: Wellio) -> None:
        self._app = app
        self._db, self._clock = app.db, app.service(Judge)
        self._ttl_ms = app.settings(AuthConfig).setup_ttl_s * 1000
        self._accounts = app.service(Accounts)
        self._sessions = app.service(Sessions)
        self._attempts = app.service(Attempts)
        self._passwords = app.service(Passwords)
        self._token_hash = ""
        self._token_ends_at = 0
        self._made_unattended = ""

    async def is_set_up(self) -> bool:
        """Tell whether the practice has its owner."""
        return await store.is_set_up(self._db)

    async def hash_password(self, password: str) -> str:
        """Return what is stored of a password."""
        return await self._passwords.hash(password)

    async def notice(self) -> str | None:
        """Issue a new link while there is no owner, as `wellio serve` prints it.

        Of an owner whom the settings named, it says once that they were made.
        """
        if self._made_unattended:
            return f"The owner {self._made_unattended} was made, as [setup] says: sign in as them."
        if await store.is_set_up(self._db):
            return None
        token = secrets.token_urlsafe(32)
        self._token_hash = digest(token)
        self._token_ends_at = self._clock.now_ms() + self._ttl_ms
        minutes = self._ttl_ms // 60_000
        return (
            f"Set up the practice within {minutes} minutes, with the token of this link:\n"
            f"{self._app.config.server.url}/setup#token={token}\n"
            "No page stands behind it yet: POST /api/v1/setup takes the token."
        )

    async def set_up(self, wish: SetupRequest, origin: Origin) -> SignedIn:
        """Make the owner and the practice, and begin the owner's first session.

        Raises:
            AlreadySetUp: There is an owner, maybe since an instant.
            Forbidden: The token is not that of the last link, or the link has expired.
            Invalid: The password is too easy to guess.
            TooManyRequests: There were too many tries, or too many passwords are being worked on.
        """
        self._attempts.at_link(origin)
        if await store.is_set_up(self._db):
            raise AlreadySetUp
        matches = hmac.compare_digest(digest(wish.token), self._token_hash)
        if not matches or self._clock.now_ms() >= self._token_ends_at:
            raise BadSetupToken
        owner = wish.owner
        await self._passwords.require_strong(
            "/owner/password", owner.password, owner.name, owner.email
        )
        password_hash = await self._passwords.hash(owner.password)
        account = NewAccount(owner.email, owner.name, "owner", password_hash)
        grant = await self._db.write(self._set_up, account, wish.practice, origin)
        return self._sessions.answer(grant)

    async def _set_up(
        self, tx: Tx, account: NewAccount, practice: PracticeSetup, origin: Origin
    ) -> Grant:
        if not await store.mark_set_up(tx, self._clock.now_ms()):
            raise AlreadySetUp
        await self._app.audit.record(tx, "practice.set_up", "practice", actor_id=None)
        attributes = {"practice": practice.model_dump(by_alias=True)}
        user = await self._accounts.create(tx, account, attributes)
        return await self._sessions.open(tx, user, origin)

    async def run_unattended(self) -> None:
        """Make the owner whom `[setup]` names, while there is none.

        Raises:
            ConfigError: The settings are not those of an account.
        """
        wish = self._app.config.setup
        if wish.owner_email is None or wish.owner_password is None:
            return
        if await store.is_set_up(self._db):
            return
        name = wish.owner_email.partition("@")[0]
        try:
            await self.create_user(
                NewUser(
                    email=wish.owner_email, name=name, role="owner", password=wish.owner_password
                )
            )
            self._made_unattended = wish.owner_email
        except AccountExists:
            return  # another process that started at the same time was first
        except ValidationError as error:
            wrong = [f"setup.owner_{item['loc'][0]}: {item['msg']}" for item in error.errors()]
            raise ConfigError("; ".join(wrong)) from None
        except Invalid as error:
            raise ConfigError(f"setup.owner_password: {error.errors[0].message}") from None

    async def create_user(self, new: NewUser) -> Row:
        """Make an account on the server's own authority; the first owner's practice has defaults.

        Raises:
            AccountExists: The address has an account.
            Conflict: There is no owner yet, and this is none (`owner_first`).
            Invalid: The password is too easy to guess, or a coach is named for staff.
        """
        if new.coach is not None and new.role != "client":
            raise invalid("/coach", "not_a_client", "is for clients only")
        password = new.password.get_secret_value()
        await self._passwords.require_strong("/password", password, new.name, new.email)
        password_hash = await self._passwords.hash(password)
        account = NewAccount(new.email, new.name, new.role, password_hash)
        attributes = {"coachEmail": new.coach} if new.coach else {}
        return await self._db.write(self.admit, account, attributes)

    async def admit(self, tx: Tx, account: NewAccount, attributes: Mapping[str, Any]) -> Row:
        """Make an account on the server's own authority, in a transaction.

        Args:
            tx: The transaction.
            account: The account; the first must be an owner's.
            attributes: As for `Accounts.create`.

        Raises:
            AccountExists: The address has an account.
            Conflict: There is no owner yet, and this is none (`owner_first`).
        """
        if account.role == "owner":
            if await store.mark_set_up(tx, self._clock.now_ms()):
                await self._app.audit.record(tx, "practice.set_up", "practice", actor_id=None)
        elif not await store.is_set_up(tx):
            raise OwnerFirst
        return await self._accounts.create(tx, account, attributes, by_command=True)
