"""The hooks by which other plugins add to an account: when it is made, and when it changes."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from wellio import AccountStep, Tx, Wellio, hookspec


class ProfileStep(Protocol):
    """What a plugin does when people change what they say of themselves."""

    async def on_profile(self, tx: Tx, user_id: str, changed: Mapping[str, Any]) -> None:
        """Follow a change, in its own transaction.

        Args:
            tx: The transaction.
            user_id: Whose account it is, and who changed it.
            changed: What is new of `phone`, `time_zone` and `locale`; None where it is empty now.
        """


@hookspec
def register_account_steps(app: Wellio) -> Sequence[AccountStep]:
    """Return what this plugin does when an account is made."""


@hookspec
def register_profile_steps(app: Wellio) -> Sequence[ProfileStep]:
    """Return what this plugin does when people change their own phone, time zone or language."""
