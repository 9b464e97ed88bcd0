"""Reactions to events: one that must not miss any, and one that may."""

from wellio import EventBus, Tx, Wellio

from . import store
from .events import WinEvent, WinNoted


class Tally:
    """Keeps `hello_tally`: follows the event log, so it survives a kill and misses nothing."""

    def __init__(self, bus: EventBus) -> None:
        # Also the events from before the plugin had this subscriber.
        bus.subscribe_durable("hello.tally", WinEvent, self.recount, replay=True)

    async def recount(self, tx: Tx, event: WinEvent) -> None:
        """Count again, in the transaction that marks the event as done."""
        await store.recount(tx, event.client_id)


class WinCounter:
    """Counts for `/metrics`: right after the commit, in this process; a restart begins at 0."""

    def __init__(self, app: Wellio, bus: EventBus) -> None:
        self._noted = app.metrics.counter("hello_wins", "Wins that were noted.")
        bus.subscribe(WinNoted, self.count)

    def count(self, _: WinNoted) -> None:
        """Count one more."""
        self._noted.inc()
