"""What an examination finds: `wellio doctor` asks the core, the database and the plugins."""

from dataclasses import dataclass
from typing import Literal

Gravity = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What, such as `disk space`.
        status: `ok`; `warning`, which can wait; or `problem`, which cannot.
        detail: What was found, without a secret, a person's data, or a path.
        advice: What to do about it; empty when nothing is.
    """

    name: str
    status: Gravity
    detail: str
    advice: str = ""
