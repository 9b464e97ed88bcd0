"""The hook that this plugin opens: others say what wins earn."""

from collections.abc import Sequence
from dataclasses import dataclass

from wellio import hookspec


@dataclass(frozen=True, slots=True)
class Badge:
    """What a client earns by so many wins."""

    name: str
    wins: int


@hookspec
def register_badges() -> Sequence[Badge]:
    """Return what clients earn; `GET /clients/{id}/win-count` shows it."""
    raise NotImplementedError
