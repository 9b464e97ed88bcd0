"""The bus: takes in what happened, and tells of it.

An event exists only if its transaction committed: `publish` writes it to the event log in that
transaction. Live subscribers hear of it right after the commit, at most once and in this process;
durable ones follow the log by their own cursor (`outbox.py`) and survive a kill.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import structlog

from wellio.audit import Audit
from wellio.clock import Clock
from wellio.db.base import Database, Row, Tx
from wellio.errors import PluginError
from wellio.ids import new_id
from wellio.jobs.jobs import Jobs
from wellio.jobs.retry import fault

from .event import Event, Fact
from .failure import Failure
from .outbox import Outbox, append
from .subscriber import Shared, Subscriber

_log = structlog.get_logger()
E = TypeVar("E", bound=Event)


class EventBus:
    """Takes events in and hands them on; one per app."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        jobs: Jobs,
        audit: Audit,
        *,
        node: str | None = None,
        poll_s: float = 1.0,
        retention_s: int = 7 * 86_400,
        max_attempts: int = 8,
    ) -> None:
        """Build a bus that nobody listens to yet.

        Args:
            db: Where the log is.
            clock: Tells when parked events are due.
            jobs: What `settled` waits for too; it runs the trimming of the log.
            audit: Where an event that is about something writes its row.
            node: A name that one process at a time has. A process that comes back under its old
                name goes on at once, a new one waits for the lease of the old to end.
            poll_s: How often to look for what was published by other processes or is due again.
            retention_s: How long the log is kept, even when every subscriber has read it.
            max_attempts: How often a durable subscriber tries an event before it is dead.
        """
        shared = Shared(db, clock, self._read, self._failed, node or new_id(), poll_s, max_attempts)
        self.outbox = Outbox(shared, retention_s=retention_s)
        self._clock = clock
        self._jobs = jobs
        self._audit = audit
        jobs.register(self.outbox.trimming())
        self._types: dict[str, type[Event]] = {}
        self._watching: list[Callable[[Failure], None]] = []
        self._live: list[tuple[type[Event], Callable[[Any], None]]] = []
        self._routes: dict[type[Event], tuple[list[Callable[[Any], None]], list[Subscriber]]] = {}

    @property
    def types(self) -> Sequence[type[Event]]:
        """Return the registered event classes, by name."""
        return [self._types[name] for name in sorted(self._types)]

    def register(self, *types: type[Event]) -> None:
        """Make event classes known; another cannot be published.

        Raises:
            PluginError: A class has no name, or the name of another one.
        """
        for type_ in types:
            if not type_.name:
                raise PluginError(f"event class {type_.__qualname__} has no name=")
            other = self._types.setdefault(type_.name, type_)
            if other is not type_:
                raise PluginError(
                    f"event {type_.name} is defined twice: in {other.__module__} and "
                    f"{type_.__module__}"
                )

    def subscribe(self, type_: type[E], fn: Callable[[E], None]) -> None:
        """Have a function called after the commit, in this process, at most once.

        Args:
            type_: An event class; its subclasses too, so `Event` means all.
            fn: Called on the event loop; what it raises is logged and reaches nobody.
        """
        self._live.append((type_, fn))
        self._routes.clear()

    def subscribe_durable(
        self,
        name: str,
        types: type[E] | Iterable[type[E]],
        fn: Callable[[Tx, E], Awaitable[None]],
        *,
        replay: bool = False,
    ) -> None:
        """Have a function follow the log: each event exactly once, whatever is killed when.

        Args:
            name: The cursor's name, `<plugin>.<what>`; it stays the same for ever.
            types: One or more event classes; subclasses too.
            fn: Gets the transaction in which the cursor moves, only writes rows through it, and
                acts on the present state of what the event names. When it raises, the event is
                parked and tried again later: the order of events then changes.
            replay: Whether a new subscriber begins with the log's first event or with the next.

        Raises:
            PluginError: The name is taken, or the workers run already.
        """
        wanted = (types,) if isinstance(types, type) else tuple(types)
        self.outbox.add(name, wanted, fn, replay=replay)
        self._routes.clear()

    def watch_failures(self, fn: Callable[[Failure], None]) -> None:
        """Have a function called whenever a subscriber of this process fails, as tests do."""
        self._watching.append(fn)

    async def publish(
        self,
        tx: Tx,
        *events: Event,
        subject_id: str | None = None,
        note: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Write events to the log in a transaction, in the order given.

        One whose class says what it is `about` writes its row in the audit log with it: the
        action is its name, the actor and the client are its own.

        Args:
            tx: The transaction in which it happens.
            events: What happened.
            subject_id: For the audit row of a single event: the account that is concerned, where
                that is another thing than the object.
            note: For that row: a few words of the program's, such as a reason.
            details: For that row: what is personal, JSON-ready; it goes when the subject is erased.

        Raises:
            PluginError: A class of them is not registered, or there is not exactly one audit row
                that a subject, a note or details could be for.
        """
        if subject_id is not None or note is not None or details is not None:
            _require_one_row(events)
        rows = []
        audited: list[tuple[Event, str, str]] = []
        heard: list[tuple[Event, list[Callable[[Any], None]]]] = []
        wake: list[Subscriber] = []
        for given in events:
            event = given if given.at else given.model_copy(update={"at": self._clock.now_ms()})
            live, durable = self._routes.get(type(event)) or self._route(type(event))
            if live:
                heard.append((event, live))
            if durable:
                wake += (subscriber for subscriber in durable if subscriber not in wake)
            rows.append(event.to_row())
            if event.about is not None:
                audited.append((event, *event.about))
        await append(tx, rows)
        for event, kind, field in audited:
            await self._audit.record(
                tx,
                event.name,
                kind,
                getattr(event, field),
                actor_id=event.actor_id,
                subject_id=subject_id,
                client_id=event.client_id,
                note=note,
                details=details,
            )
        if heard or wake:
            tx.after_commit(self._committed, heard, wake)

    async def publish_many(self, tx: Tx, type_: type[Event], facts: Sequence[Fact]) -> None:
        """Write events of one class to the log, as what happens thousands of times a second.

        They are rows from the start: an object costs more than all else that is done with them, and
        is made only where somebody listens live.

        Args:
            tx: The transaction in which they happen.
            type_: Their class, which is about nothing that is audited.
            facts: For each `at`, `actor_id`, `client_id`, and its own fields in their order.

        Raises:
            PluginError: The class is not registered, or it is audited.
        """
        live, durable = self._routes.get(type_) or self._route(type_)
        if type_.about is not None:
            raise PluginError(f"event {type_.name} is audited: publish it one by one")
        rows = [type_.row(fact) for fact in facts]
        await append(tx, rows)
        if live or durable:
            heard = [(type_.of_row(row), live) for row in rows] if live else []
            tx.after_commit(self._committed, heard, durable)

    async def start(self, *, workers: bool = True) -> None:
        """Give new subscribers their cursor, and start the workers.

        Args:
            workers: False for a command that publishes and leaves the rest to the server.
        """
        await self.outbox.start(workers=workers)

    async def stop(self) -> None:
        """End the workers after the batch that each has begun."""
        await self.outbox.stop()

    def poke(self) -> None:
        """Look at once whether something is due, as after a manual clock was moved."""
        self.outbox.poke()
        self._jobs.poke()

    async def settled(self) -> None:
        """Wait until every durable subscriber has caught up and every due job has run.

        Works with and without running workers. What failed and is due later is not waited for;
        a subscriber that another node has leased is.
        """
        while True:
            before = self.outbox.steps_done + self._jobs.steps_done
            await self.outbox.catch_up()
            await self._jobs.run_due()
            if self.outbox.steps_done + self._jobs.steps_done == before:
                return

    async def status(self) -> dict[str, dict[str, Any]]:
        """Return `subscribers`, each with `lag`, `parked` and `dead`, and the figures of `jobs`."""
        return {"subscribers": await self.outbox.status(), "jobs": await self._jobs.status()}

    def _route(self, type_: type[Event]) -> tuple[list[Callable[[Any], None]], list[Subscriber]]:
        if self._types.get(type_.name) is not type_:
            raise PluginError(f"event class {type_.__qualname__} is not registered")
        live = [fn for wanted, fn in self._live if issubclass(type_, wanted)]
        durable = [s for s in self.outbox.subscribers if issubclass(type_, s.types)]
        return self._routes.setdefault(type_, (live, durable))

    def _read(self, row: Row, wanted: tuple[type[Event], ...]) -> Event | None:
        type_ = self._types.get(row["name"])
        return type_.from_row(row) if type_ and issubclass(type_, wanted) else None

    def _committed(
        self,
        heard: list[tuple[Event, list[Callable[[Any], None]]]],
        wake: list[Subscriber],
    ) -> None:
        for subscriber in wake:
            subscriber.worker.wake()
        for event, live in heard:
            for fn in live:
                try:
                    fn(event)
                except Exception as error:  # noqa: BLE001 - a subscriber's fault is not the publisher's
                    name = getattr(fn, "__qualname__", type(fn).__qualname__)
                    about = fault(error, fn, EventBus._committed.__code__)
                    failure = Failure(name, event.id, event.name, **about)
                    _log.error("live_subscriber_failed", **failure.fields())
                    self._failed(failure)

    def _failed(self, failure: Failure) -> None:
        for fn in self._watching:
            fn(failure)


def _require_one_row(events: Sequence[Event]) -> None:
    if len(events) != 1:
        raise PluginError("a subject, a note or details are for one event at a time")
    if events[0].about is None:
        raise PluginError(
            f"event {events[0].name} has about=None: it has no audit row for a subject, a note or "
            "details"
        )
