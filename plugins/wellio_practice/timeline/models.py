"""What stands on a timeline, and who brings it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field

from wellio import Form, Id, Instant, PageQuery, Wire

Kind = Annotated[
    str, Form(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", "must be a kind such as client.assigned")
]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened to a client: ids, never contents.

    Attributes:
        id: Of the row that says so.
        at: When, in milliseconds UTC.
        kind: What, as the event of it is called: `client.assigned`.
        actor_id: The account that did it, if that is known.
        ref_id: What else it concerns, such as the coach.
    """

    id: str
    at: int
    kind: str
    actor_id: str | None = None
    ref_id: str | None = None


class TimelineSource(Protocol):
    """Everything of one kind that happened to clients, in the tables of one plugin."""

    @property
    def kind(self) -> str:
        """Return the kind of all its entries."""

    async def entries(
        self, client_id: str, before: tuple[int, str], limit: int
    ) -> Sequence[TimelineEntry]:
        """Return what happened to a client, the newest first.

        Who asks may see the client; a source that shows not everybody the same is none.

        Args:
            client_id: The client's record.
            before: Only what is below this `(at, id)`, compared in that order.
            limit: At most so many.
        """


class TimelineItem(Wire):
    """Something that happened to a client."""

    id: Id
    at: Instant
    kind: str = Field(description="As the event of it is called, such as `client.assigned`.")
    actor_id: Id | None = Field(description="Who did it; null where that is not known.")
    ref_id: Id | None = Field(description="What else it concerns, such as the coach.")


class TimelineQuery(PageQuery):
    """Which part of a timeline."""

    kind: Kind | None = Field(default=None, description="Only what is of this kind.")
