"""Handlers that take too long: a line of the log for each, since a histogram names nobody."""

from typing import Any

from .log import get_logger


class Slow:
    """What counts as slow, and who is told of it."""

    def __init__(self, limit_s: float = float("inf")) -> None:
        """Set the limit, in seconds."""
        self.limit_s = limit_s

    def report(self, handler: Any, seconds: float, **where: str) -> None:
        """Write the line, in the name of the handler's plugin.

        Args:
            handler: The function or method.
            seconds: How long it took.
            where: What it answered, never with anything of a person: a route's template, an event.
        """
        get_logger(handler.__module__).warning("slow handler", seconds=round(seconds, 1), **where)
