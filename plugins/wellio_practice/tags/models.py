"""Tags, as they are stored and on the wire."""

from typing import Annotated

from pydantic import StringConstraints

from wellio import ABSENT, Id, Instant, Name, Table, Wire

TagName = Annotated[Name, StringConstraints(max_length=60)]
"""No two tags have one, whatever the case."""


class Tag(Wire):
    """A label that staff put on clients."""

    id: Id
    name: Name
    created_at: Instant


class NewTag(Wire):
    """A tag to be."""

    name: TagName


class TagChange(Wire):
    """A change of what is given."""

    name: TagName = ABSENT


TAGS = Table(
    "practice_tag",
    Tag,
    *("name_ci", "name_key", "version int", "updated_at int"),
    order=("name_key",),
)
