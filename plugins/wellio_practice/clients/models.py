"""Clients: their records as the database has them, as services return them, and on the wire.

A field of a client's is written in the migration, in a record here, and in `_Details` where
people may set it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, StringConstraints, field_validator

from wellio import (
    ABSENT,
    Date,
    Email,
    Id,
    Instant,
    Line,
    Locale,
    Name,
    PageQuery,
    Phone,
    Row,
    Table,
    TimeZone,
    Wire,
)
from wellio_practice.tags.models import Tag

Lifecycle = Literal["lead", "active", "at_risk", "dormant", "churned", "archived"]
METADATA_BYTES = 16_384
MAX_AGE_YEARS = 130
#: Of JSON as orjson writes it. Six characters of text that look like the escape begin with two
#: backslashes.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class OwnRecord(Wire):
    """What a client sees of their own record."""

    id: Id
    user_id: Id | None
    name: Name
    email: Email | None
    phone: str | None
    date_of_birth: date | None
    time_zone: str | None
    locale: str | None
    created_at: Instant


class Record(OwnRecord):
    """What staff see of a client's record; it changes with what only they see."""

    updated_at: Instant
    lifecycle: Lifecycle
    source: str | None
    metadata: dict[str, Any]


CLIENTS = Table(
    "practice_client",
    Record,
    *("name_ci", "email_ci", "email_key", "status", "erased_at int", "version int"),
    order=("name_ci",),
)


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client as somebody may see them.

    Attributes:
        row: The record.
        coaches: `id` and `name` of who looks after them, the primary coach first.
        tags: The rows of their tags; None where the client looks, whom staff's part is not for.
    """

    row: Row
    coaches: Sequence[Row]
    tags: Sequence[Row] | None


class Coach(Wire):
    """Somebody who looks after a client."""

    id: Id
    name: Name


class OwnClient(OwnRecord):
    """A client as they see themselves."""

    coaches: list[Coach]


class Client(Record):
    """A client as staff see them."""

    coaches: list[Coach]
    tags: list[Tag]


class _Details(Wire):
    """What may be empty; where it is absent, a new record is empty there and a change keeps it."""

    email: Email | None = ABSENT
    phone: Phone | None = ABSENT
    date_of_birth: Date | None = ABSENT
    time_zone: TimeZone | None = ABSENT
    locale: Locale | None = ABSENT
    source: Name | None = ABSENT
    metadata: dict[str, Any] | None = Field(
        default=ABSENT, description="Free-form JSON of at most 16 KiB."
    )

    @field_validator("date_of_birth")
    @classmethod
    def _plausible(cls, value: date | None) -> date | None:
        today = date.today()  # noqa: DTZ011 - a birthday has no time zone
        if value and not (value <= today and today.year - value.year <= MAX_AGE_YEARS):
            raise ValueError(f"must lie within the last {MAX_AGE_YEARS} years")
        return value

    @field_validator("metadata")
    @classmethod
    def _small(cls, value: dict[str, Any] | None) -> dict[str, Any]:
        text = orjson.dumps(value or {})
        if len(text) > METADATA_BYTES or _NUL.search(text):
            raise ValueError("must be at most 16 KiB of JSON without NUL")
        return value or {}


class NewClient(_Details):
    """A client to be: a coach who makes one looks after them."""

    name: Name
    lifecycle: Lifecycle = "active"
    coach_ids: Annotated[tuple[Id, ...], Field(max_length=20)] = ()


class ClientChange(_Details):
    """A change of the fields that are given; null empties one that may be empty."""

    name: Name = ABSENT
    lifecycle: Lifecycle = ABSENT


class ClientQuery(PageQuery):
    """Which clients to list."""

    q: Annotated[Line, StringConstraints(max_length=100)] | None = Field(
        default=None, description="Part of the name or the e-mail address."
    )
    tag_id: Id | None = None
    coach_id: Id | None = None
    lifecycle: Lifecycle | None = None


#: Everything that is about the person, as it stands in a tombstone.
ERASED: dict[str, Any] = {
    **dict.fromkeys(("user_id", "name", *_Details.model_fields)),
    **dict.fromkeys(("name_ci", "email_ci", "email_key")),
    "metadata": {},
    "status": "erased",
}
