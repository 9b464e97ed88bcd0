"""Who acts, what they may do in general, and how a request proves who sends it.

What somebody may do with one object is decided in `policy.py`.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from aiohttp import web

from wellio.errors import Forbidden

Role = Literal["owner", "coach", "assistant", "client"]
"""What somebody is in the practice; an account has one."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind a request.

    Attributes:
        user_id: Their account.
        role: `owner`, `coach`, `assistant` or `client`.
        session_id: The login session, or None for a credential without one.
        permissions: Names of what the role (or a narrower credential) may do.
        key_id: The API key, if that is what they come with. It does what a permission that it
            holds is for, and nothing of what a login may do without any.
    """

    user_id: str
    role: str
    session_id: str | None
    permissions: frozenset[str]
    key_id: str | None = None

    @property
    def credential_id(self) -> str | None:
        """What ends when they may not come in this way any more: the key, or the session."""
        return self.key_id or self.session_id

    def can(self, permission: str | None) -> bool:
        """Tell whether the actor may do what a permission is for; None: what needs none."""
        return self.key_id is None if permission is None else permission in self.permissions

    def require(self, permission: str | None) -> None:
        """Raise Forbidden unless the actor may do what a permission is for."""
        if not self.can(permission):
            raise Forbidden(
                f"This needs the permission {permission}."
                if permission
                else "This is for people who signed in, not for API keys."
            )


@dataclass(frozen=True, slots=True)
class Permission:
    """Something that roles may or may not do.

    Attributes:
        name: `<plugin>.<verb or noun>`, such as `chat.send`.
        description: One sentence for the documentation.
        roles: The roles that hold it.
        for_keys: Whether an API key may hold it too: not what makes accounts or ways in.
    """

    name: str
    description: str
    roles: frozenset[str]
    for_keys: bool = True


class Authenticator(Protocol):
    """One way of proving who one is: a bearer token, an API key, a web session.

    A class attribute `problems` names, for the documentation, the classes of what it raises beside
    `Unauthorized`.
    """

    async def from_request(self, request: web.Request) -> Actor | None:
        """Return who sent a request; None when it carries no credential of this kind.

        Raises:
            Unauthorized: It carries one, and it does not work.
        """

    async def from_token(self, token: str) -> Actor | None:
        """Return whose token a realtime handshake carries; None when it is of another kind.

        Raises:
            Unauthorized: It is of this kind, and it does not work.
        """
