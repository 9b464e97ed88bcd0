"""What happens to clients: facts that other plugins may subscribe to."""

from collections.abc import Sequence

from wellio import Event


class ClientEvent(Event):
    """Something happened to a client record.

    Attributes:
        client_id: The record.
        user_id: The client's account, if there is one.
    """

    client_id: str
    user_id: str | None = None


class ClientCreated(ClientEvent, name="client.created", about=("client", "client_id")):
    """A client record was made, with or without an account."""


class ClientUpdated(ClientEvent, name="client.updated", about=("client", "client_id")):
    """Something in a client record changed, its tags included."""


class ClientLifecycleChanged(
    ClientEvent, name="client.lifecycle_changed", about=("client", "client_id")
):
    """A client moved to another phase, such as from active to dormant."""


class ClientAssigned(ClientEvent, name="client.assigned", about=("client", "client_id")):
    """A coach looks after a client from now on."""

    coach_id: str


class ClientUnassigned(ClientEvent, name="client.unassigned", about=("client", "client_id")):
    """A coach looks after a client no longer."""

    coach_id: str


EVENTS: Sequence[type[Event]] = (
    ClientCreated,
    ClientUpdated,
    ClientLifecycleChanged,
    ClientAssigned,
    ClientUnassigned,
)
