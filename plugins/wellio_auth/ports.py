"""What other plugins may ask of the accounts, by `app.service(...)`."""

from collections.abc import Mapping
from typing import Any, Protocol

from wellio import Actor, IfMatch, Row, Tx

from .accounts.models import NewAccount, UserChange
from .invitations.models import NewInvitation

__all__ = [
    "ChangeAccounts",
    "InvitePeople",
    "MakeAccounts",
    "NewAccount",
    "NewInvitation",
    "UserChange",
]


class MakeAccounts(Protocol):
    """Makes accounts on the server's own authority, as the command line does."""

    async def is_set_up(self) -> bool:
        """Tell whether the practice has its owner."""

    async def hash_password(self, password: str) -> str:
        """Return what is stored of a password, for `NewAccount.password_hash`; takes 0.1 s."""

    async def admit(self, tx: Tx, account: NewAccount, attributes: Mapping[str, Any]) -> Row:
        """Make an account in a transaction, with what other plugins add to it, and return its row.

        Args:
            tx: The transaction.
            account: The account; the first must be an owner's.
            attributes: What the account steps know, such as `coachId`.

        Raises:
            AccountExists: The address has an account.
            Conflict: There is no owner yet, and this is none (`owner_first`).
        """


class ChangeAccounts(Protocol):
    """Changes accounts as an owner does, which whoever calls it makes sure of."""

    async def change(
        self, actor: Actor, user_id: str, change: UserChange, if_match: IfMatch
    ) -> object:
        """Change somebody's name, role or status; who is disabled is signed out at once.

        Raises:
            NotFound: There is no such account.
            Conflict: Nobody who can sign in would be owner any more (`last_owner`).
        """


class InvitePeople(Protocol):
    """Invites people by mail."""

    async def create(self, actor: Actor, new: NewInvitation) -> object:
        """Invite somebody; the link goes to their address and to nobody else.

        Raises:
            Forbidden: A coach invites somebody else than a client of their own.
            Invalid: `coachId` is no coach's, or the invited person is no client.
        """
