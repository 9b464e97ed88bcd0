"""Which events were published."""

from collections.abc import Iterator
from contextlib import contextmanager

from wellio.events.bus import EventBus
from wellio.events.event import Event


class Recorder:
    """Keeps every event whose transaction committed, in that order."""

    def __init__(self, bus: EventBus) -> None:
        self.events: list[Event] = []
        bus.subscribe(Event, self.events.append)

    @property
    def names(self) -> list[str]:
        """Return the events' names."""
        return [event.name for event in self.events]

    def clear(self) -> None:
        """Forget what was published so far."""
        self.events.clear()

    @contextmanager
    def expect(self, *names: str) -> Iterator[None]:
        """Assert that exactly these events are published within the block, in any order."""
        before = len(self.events)
        yield
        published = self.names[before:]
        assert sorted(published) == sorted(names), f"published: {published}"
