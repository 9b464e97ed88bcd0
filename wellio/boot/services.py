"""One instance of each class in an app, made when it is first asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .answer import is_protocol
from .ports import providers

if TYPE_CHECKING:
    from .app import Wellio
    from .hooks import Hooks


class Services:
    """The instances of one app."""

    def __init__(self) -> None:
        self._made: dict[type, Any] = {}
        self._providers: Mapping[type, type] = {}

    def put(self, *instances: object) -> None:
        """Take in what is made already, under its class."""
        self._made |= {type(instance): instance for instance in instances}

    def open_ports(self, hooks: "Hooks") -> None:
        """Learn which class provides which port; raises as `providers` does."""
        self._providers = providers(hooks)

    def get(self, wanted: Any, app: "Wellio") -> Any:
        """Return the one instance of a class, made as `cls(app)` at first use.

        For a port, that is its provider's; None where no plugin provides it.
        """
        cls = self._providers.get(wanted) if is_protocol(wanted) else wanted
        if cls is None:
            return None
        if cls not in self._made:
            self._made[cls] = cls(app)
        return self._made[cls]
