"""`wellio user create`."""

from typing import Any

from wellio import Cli, Wellio

from .accounts.models import UserBrief
from .setup.models import NewUser
from .setup.service import Setup


async def create_user(app: Wellio, new: NewUser) -> dict[str, Any]:
    """Make an account; the first one must be the owner's."""
    user = await app.service(Setup).create_user(new)
    return {field: user[field] for field in UserBrief.model_fields}


def register(cli: Cli) -> None:
    """Add this plugin's commands."""
    cli.operation("user create", create_user, arguments=NewUser, may_begin=True)
