"""`[plugins.hello]`: how much may be noted, and when coaches hear of it."""

from typing import Annotated

from pydantic import Field

from wellio import Rate, SectionModel, TimeZone


class HelloConfig(SectionModel):
    """Small wins, and the weekly note about them."""

    max_length: Annotated[int, Field(ge=1, le=10_000)] = 500
    """The longest win, in characters."""
    picture_bytes: Annotated[int, Field(ge=1, le=10_000_000)] = 1_000_000
    """The largest picture."""
    notes: Rate = Rate(20, 0.1)
    """How many wins one account may note."""
    weekly: str = "0 8 * * 1"
    """When coaches are written to: minute, hour, day, month, weekday."""
    time_zone: TimeZone = "UTC"
    """The zone whose clock that is, such as Europe/Berlin."""
