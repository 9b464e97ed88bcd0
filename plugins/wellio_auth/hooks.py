"""The hook by which other plugins add to an account when it is made."""

from collections.abc import Sequence

from wellio import AccountStep, Wellio, hookspec


@hookspec
def register_account_steps(app: Wellio) -> Sequence[AccountStep]:
    """Return what this plugin does when an account is made."""
