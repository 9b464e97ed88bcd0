"""What other plugins may ask of the practice, by `app.service(...)`."""

from typing import Protocol

from wellio import Actor, IfMatch, Row, Slice

from .clients.models import ClientChange, ClientQuery, ClientView
from .settings.models import PracticeChange
from .tags.models import NewTag

__all__ = [
    "ClientChange",
    "ClientQuery",
    "ClientView",
    "KeepClients",
    "KeepSettings",
    "KeepTags",
    "NewTag",
    "PracticeChange",
]


class KeepClients(Protocol):
    """Keeps the clients' records.

    The permission `clients.manage` and the policy of `client` stand at the edge: who calls this
    from a route declares them there, as the practice's own routes do.
    """

    async def search(self, actor: Actor, query: ClientQuery) -> Slice[ClientView]:
        """Return some of the records that the actor may see, by name.

        Raises:
            Forbidden: A client asks by what staff keep about them.
        """

    async def change(
        self, actor: Actor, client_id: str, change: ClientChange, if_match: IfMatch
    ) -> object:
        """Change a record.

        Raises:
            PreconditionFailed: The record is in another state than the actor insists on.
        """

    async def tag(self, actor: Actor, client_id: str, tag_id: str) -> None:
        """Put a tag on a record.

        Raises:
            NotFound: There is no such tag.
        """

    async def assign(self, actor: Actor, client_id: str, coach_id: str) -> None:
        """Give a coach to a client.

        Raises:
            NotFound: That account is no owner or coach.
        """

    async def unassign(self, actor: Actor, client_id: str, coach_id: str) -> None:
        """Take a coach from a client."""


class KeepTags(Protocol):
    """Keeps the practice's tags."""

    async def create(self, actor: Actor, new: NewTag) -> Row:
        """Make a tag.

        Returns:
            The tag, with its `id`.

        Raises:
            Conflict: Another tag has the name.
        """


class KeepSettings(Protocol):
    """Keeps what the practice is called, and its time zone, currency and language."""

    async def change(self, actor: Actor, change: PracticeChange, if_match: IfMatch) -> object:
        """Change some of it.

        Raises:
            PreconditionFailed: It is in another state than the actor insists on.
        """
