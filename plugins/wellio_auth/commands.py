"""`wellio user create`."""

from typing import Any

from wellio import Cli, Wellio

from .models import NewUser, user_brief
from .setup import Setup


async def create_user(app: Wellio, new: NewUser) -> dict[str, Any]:
    """Make an account; the first one must be the owner's."""
    return user_brief(await app.service(Setup).create_user(new))


def register(cli: Cli) -> None:
    """Add this plugin's commands."""
    cli.operation("user create", create_user, arguments=NewUser)
