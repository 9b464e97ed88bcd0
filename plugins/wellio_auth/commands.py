"""`wellio user create`."""

from typing import Any

from wellio import Cli, Wellio

from .accounts.models import user_brief
from .setup.models import NewUser
from .setup.service import Setup


async def create_user(app: Wellio, new: NewUser) -> dict[str, Any]:
    """Make an account; the first one must be the owner's."""
    return user_brief(await app.service(Setup).create_user(new))


def register(cli: Cli) -> None:
    """Add this plugin's commands."""
    cli.operation("user create", create_user, arguments=NewUser)
