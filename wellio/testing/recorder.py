"""Which events were published, and which subscribers failed on them."""

from collections.abc import Iterator
from contextlib import contextmanager

from wellio.events.bus import EventBus
from wellio.events.event import Event
from wellio.events.failure import Failure


class Recorder:
    """Keeps every event whose transaction committed, in that order.

    A subscriber that fails, live or durable, reaches neither its publisher nor the test; so
    `app.settled()` and the end of the app raise for it, unless the test expects it.
    """

    def __init__(self, bus: EventBus) -> None:
        self.events: list[Event] = []
        self._failures: list[Failure] = []
        self._expected: list[Failure] | None = None
        bus.subscribe(Event, self.events.append)
        bus.watch_failures(self._failed)

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

    @contextmanager
    def expect_failures(self) -> Iterator[list[Failure]]:
        """Let subscribers fail within the block, and assert that one does.

            with app.bus.expect_failures() as failures:
                await api.post("/wins", {"text": "x"}, status=201)
                await app.settled()
            assert {failure.subscriber for failure in failures} == {"wins.count"}

        Yields:
            Those that fail, as they do.
        """
        expected = self._expected = []
        try:
            yield expected
        finally:
            self._expected = None
        assert expected, "no subscriber failed"

    def raise_failures(self) -> None:
        """Assert that no subscriber has failed since the last look but where it was expected.

        Raises:
            AssertionError: One has; the message says at which event and where.
        """
        failures, self._failures = self._failures, []
        assert not failures, "subscribers failed:\n" + "\n".join(map(_line, failures))

    def _failed(self, failure: Failure) -> None:
        (self._failures if self._expected is None else self._expected).append(failure)


def _line(failure: Failure) -> str:
    where = "".join(f"\n    {frame}" for frame in failure.frames)
    return (
        f"{failure.subscriber} ({failure.plugin}) at {failure.event_name}: {failure.error}{where}"
    )
