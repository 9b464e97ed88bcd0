"""Who the demo is about."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, eq=False)
class DemoPerson:
    """Somebody of the demo.

    Attributes:
        key: What parts call them, such as `mara`.
        name: Their name.
        email: Their address.
        role: `owner`, `coach`, `assistant` or `client`.
        joins_at: When they get their account, in milliseconds UTC.
        facts: What there is to know about them; a part adds what later parts need.
        user_id: Their account, from `joins_at` on.
        can_sign_in: Whether that account is in use.
    """

    key: str
    name: str
    email: str
    role: str
    joins_at: int
    facts: dict[str, Any] = field(default_factory=dict)
    user_id: str = ""
    can_sign_in: bool = True

    @property
    def first_name(self) -> str:
        """Return what others call them."""
        return self.name.partition(" ")[0]
