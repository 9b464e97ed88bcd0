"""The hooks that the practice opens to other plugins."""

from collections.abc import Sequence

from wellio import Wellio, hookspec

from .timeline.models import TimelineSource


@hookspec
def register_timeline(app: Wellio) -> Sequence[TimelineSource]:
    """Return what this plugin knows of clients, one source for each kind of thing that happened.

    `GET /clients/{id}/timeline` shows it among what the other plugins know.
    """
