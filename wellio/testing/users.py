"""People for tests: accounts of any role, signed in, in milliseconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from unittest.mock import patch

from .apps import TestApp

PASSWORD = "one fine horse, two batteries"  # noqa: S105 - of nobody
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who is signed in.

    Attributes:
        id: The account's id.
        email: The address that signs in.
        name: The person's name.
        role: `owner`, `coach`, `assistant` or `client`.
        password: The password.
        token: An access token.
        refresh_token: The refresh token beside it.
    """

    id: str
    email: str
    name: str
    role: str
    password: str
    token: str
    refresh_token: str


class Users:
    """Makes the accounts of one app."""

    def __init__(self) -> None:
        self._owned: set[TestApp] = set()

    async def make(
        self,
        app: TestApp,
        role: str,
        *,
        name: str | None = None,
        email: str | None = None,
        coach: User | None = None,
    ) -> User:
        """Make an account by `wellio user create`, and sign it in.

        An owner is made first where the app has none yet.

        Args:
            app: Where.
            role: `owner`, `coach`, `assistant` or `client`.
            name: The person's name; one is made up.
            email: The address; one is made up.
            coach: Whom a client is assigned to.
        """
        number = next(_numbers)
        if role != "owner" and app not in self._owned:
            await self.make(app, "owner")
        if role == "owner":
            self._owned.add(app)
        name = name or f"{role.title()} {number}"
        email = email or f"{role}{number}@practice.example"
        with cheap_passwords():
            assigned = {"coach": coach.email} if coach else {}
            await app.command(
                "user create", email=email, name=name, role=role, password=PASSWORD, **assigned
            )
            return await sign_in(app, email)


async def sign_in(app: TestApp, email: str, password: str = PASSWORD) -> User:
    """Begin one more session of somebody's."""
    login = await app.api.post("/auth/login", {"email": email, "password": password}, status=200)
    user = login.data["user"]
    return User(
        id=user["id"],
        email=email,
        name=user["name"],
        role=user["role"],
        password=password,
        token=login.data["accessToken"],
        refresh_token=login.data["refreshToken"],
    )


async def sign_in_cheaply(app: TestApp, email: str) -> User:
    """Begin one more session of somebody's whom `Users` made, in milliseconds."""
    with cheap_passwords():
        return await sign_in(app, email)


@contextmanager
def cheap_passwords() -> Iterator[None]:
    """Hash with bcrypt's least cost meanwhile: 1 ms for what takes a quarter of a second."""
    import bcrypt

    salt = bcrypt.gensalt
    with patch("bcrypt.gensalt", lambda *_: salt(4)):
        yield
