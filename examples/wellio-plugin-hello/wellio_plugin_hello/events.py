"""What happens to wins: facts that other plugins may subscribe to. They hold ids, no contents."""

from collections.abc import Sequence

from wellio import Event


class WinEvent(Event):
    """Something happened to a win; who subscribes to this class hears all of them."""

    client_id: str
    win_id: str


class WinNoted(WinEvent, name="hello.win_noted", about=("client", "client_id")):
    """A win was noted and can be read."""


class WinChanged(WinEvent, name="hello.win_changed", about=("client", "client_id")):
    """Its author put a win in other words."""


class WinWithdrawn(WinEvent, name="hello.win_withdrawn", about=("client", "client_id")):
    """Its author took a win back; its text is gone."""


EVENTS: Sequence[type[Event]] = (WinNoted, WinChanged, WinWithdrawn)
