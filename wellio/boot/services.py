"""One instance of each class in an app, made when it is first asked for."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import Wellio


class Services:
    """The instances of one app."""

    def __init__(self) -> None:
        self._made: dict[type, Any] = {}

    def put(self, *instances: object) -> None:
        """Take in what is made already, under its class."""
        self._made |= {type(instance): instance for instance in instances}

    def get(self, cls: type, app: "Wellio") -> Any:
        """Return the one instance of a class, made as `cls(app)` at first use."""
        if cls not in self._made:
            self._made[cls] = cls(app)
        return self._made[cls]
