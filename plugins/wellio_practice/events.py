"""What happens to clients: facts that other plugins may subscribe to."""

from collections.abc import Sequence

from wellio import Event


class ClientCreated(Event, name="client.created"):
    """A client record was made, with or without an account."""

    client_id: str
    user_id: str | None = None


class ClientUpdated(Event, name="client.updated"):
    """Something in a client record changed, its tags included."""

    client_id: str
    user_id: str | None = None


class ClientLifecycleChanged(Event, name="client.lifecycle_changed"):
    """A client moved to another phase, such as from active to dormant."""

    client_id: str
    user_id: str | None = None


class ClientAssigned(Event, name="client.assigned"):
    """A coach looks after a client from now on."""

    client_id: str
    user_id: str | None = None
    coach_id: str


class ClientUnassigned(Event, name="client.unassigned"):
    """A coach looks after a client no longer."""

    client_id: str
    user_id: str | None = None
    coach_id: str


EVENTS: Sequence[type[Event]] = (
    ClientCreated,
    ClientUpdated,
    ClientLifecycleChanged,
    ClientAssigned,
    ClientUnassigned,
)
