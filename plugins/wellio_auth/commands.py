"""`wellio user ...`: what whoever runs the server does with accounts, on its own authority."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from wellio import (
    ARGUMENT,
    Cli,
    Email,
    Name,
    NoArguments,
    NotFound,
    Row,
    Wellio,
    rfc3339,
)

from .accounts import store
from .accounts.models import UserBrief
from .accounts.service import Accounts
from .setup.models import NewUser
from .setup.service import Setup


class NamedUser(BaseModel):
    """Which account a command is about."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    email: Annotated[Email, ARGUMENT, Field(description="The account's e-mail address.")]


class UserPassword(NamedUser):
    """`wellio user password`."""

    password: Annotated[SecretStr, Field(min_length=10, max_length=256)]


class UserRename(NamedUser):
    """`wellio user rename`."""

    name: Annotated[Name | None, Field(description="What they are called from now on.")] = None
    to: Annotated[Email | None, Field(description="Their other e-mail address.")] = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.name is None and self.to is None:
            raise ValueError("say --name, --to or both")
        return self


async def create_user(app: Wellio, new: NewUser) -> dict[str, Any]:
    """Make an account; the first one must be the owner's."""
    user = await app.service(Setup).create_user(new)
    return _shown(user)


async def list_users(app: Wellio, _: NoArguments) -> dict[str, Any]:
    """List all accounts: whose they are, whether they are in use, and when somebody signed in."""
    return {
        "users": [
            {
                **_shown(user),
                "status": user["status"],
                "lastLoginAt": rfc3339(user["last_login_at"]) if user["last_login_at"] else None,
            }
            for user in await store.all_users(app.db)
        ]
    }


async def set_password(app: Wellio, wish: UserPassword) -> dict[str, Any]:
    """Give somebody another password; they are signed out everywhere, and told by mail."""
    user = await _found(app, wish)
    await app.service(Accounts).set_password(user, wish.password.get_secret_value())
    return _shown(user)


async def disable_user(app: Wellio, wish: NamedUser) -> dict[str, Any]:
    """Close an account: its sessions, sockets and API keys end at once."""
    return await _change(app, wish, {"status": "disabled"})


async def enable_user(app: Wellio, wish: NamedUser) -> dict[str, Any]:
    """Open an account that was closed."""
    return await _change(app, wish, {"status": "active"})


async def rename_user(app: Wellio, wish: UserRename) -> dict[str, Any]:
    """Give an account another name, or another e-mail address to sign in with."""
    values = {"name": wish.name, "email": wish.to}
    given = {column: value for column, value in values.items() if value is not None}
    return await _change(app, wish, given)


async def _change(app: Wellio, wish: NamedUser, values: dict[str, Any]) -> dict[str, Any]:
    user = await _found(app, wish)
    changed = await app.service(Accounts).change_by_command(user["id"], values)
    return {**_shown(changed), "status": changed["status"]}


async def _found(app: Wellio, wish: NamedUser) -> Row:
    user = await store.user_by_email(app.db, wish.email)
    if user is None:
        raise NotFound("No account has this e-mail address: `wellio user list` shows all.")
    return user


def _shown(user: Row) -> dict[str, Any]:
    return {field: user[field] for field in UserBrief.model_fields}


def register(cli: Cli) -> None:
    """Add this plugin's commands."""
    cli.operation("user create", create_user, arguments=NewUser, may_begin=True)
    cli.operation("user list", list_users, arguments=NoArguments)
    cli.operation("user password", set_password, arguments=UserPassword)
    cli.operation("user disable", disable_user, arguments=NamedUser)
    cli.operation("user enable", enable_user, arguments=NamedUser)
    cli.operation("user rename", rename_user, arguments=UserRename)
