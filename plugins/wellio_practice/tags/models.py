"""Tags on the wire."""

from typing import Annotated

from pydantic import StringConstraints

from wellio import Id, Instant, Name, Wire


class Tag(Wire):
    """A label that staff put on clients."""

    id: Id
    name: Name
    created_at: Instant


class TagName(Wire):
    """A tag's name: no other tag has it, whatever the case."""

    name: Annotated[Name, StringConstraints(max_length=60)]
