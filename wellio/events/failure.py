"""What is said of a subscriber that raised: whose it is, at which event, and where in its code."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Failure:
    """A subscriber could not take an event; the fields of its line in the log.

    Attributes:
        subscriber: Its cursor's name, or that of the function where it is a live one.
        event_id: The event.
        event_name: What that is called.
        plugin: Whose code the subscriber is.
        error: The error's class and code, never its text.
        frames: Where it was raised, as `file:line function`, from the subscriber's function on.
    """

    subscriber: str
    event_id: str
    event_name: str
    plugin: str
    error: str
    frames: list[str]

    def fields(self) -> dict[str, Any]:
        """Return it as fields of a line in the log."""
        return {name: getattr(self, name) for name in self.__slots__}
