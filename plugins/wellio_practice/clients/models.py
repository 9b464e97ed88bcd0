"""Clients and tags on the wire."""

from datetime import date
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, StringConstraints, field_validator

from wellio import ABSENT, Email, Id, Instant, Line, Locale, Name, PageQuery, TimeZone, Wire
from wellio_practice.tags.models import Tag

Phone = Annotated[Line, StringConstraints(pattern=r"^\+?[0-9 ()./-]{3,40}$")]
Source = Annotated[Line, StringConstraints(max_length=200)]
Lifecycle = Literal["lead", "active", "at_risk", "dormant", "churned", "archived"]
METADATA_BYTES = 16_384
MAX_AGE_YEARS = 130


class Coach(Wire):
    """Somebody who looks after a client."""

    id: Id
    name: Name


class Client(Wire):
    """A client record. A client sees their own without what is marked as staff's."""

    id: Id
    user_id: Id | None
    name: Name
    email: Email | None
    phone: str | None
    date_of_birth: date | None
    time_zone: str | None
    locale: str | None
    coaches: list[Coach]
    created_at: Instant
    updated_at: Instant
    lifecycle: Lifecycle | None = Field(default=None, description="Staff only.")
    source: str | None = Field(default=None, description="Staff only.")
    tags: list[Tag] | None = Field(default=None, description="Staff only.")
    metadata: dict[str, Any] | None = Field(default=None, description="Staff only.")


class _Details(Wire):
    email: Email | None = None
    phone: Phone | None = None
    date_of_birth: date | None = None
    time_zone: TimeZone | None = None
    locale: Locale | None = None
    source: Source | None = None
    metadata: dict[str, Any] | None = Field(
        default=None, description="Free-form JSON of at most 16 KiB."
    )

    @field_validator("date_of_birth")
    @classmethod
    def _plausible(cls, value: date | None) -> date | None:
        today = date.today()  # noqa: DTZ011 - a birthday has no time zone
        if value and not 0 <= today.year - value.year <= MAX_AGE_YEARS:
            raise ValueError(f"must lie within the last {MAX_AGE_YEARS} years")
        return value

    @field_validator("metadata")
    @classmethod
    def _small(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        text = dump_metadata(value or {})
        if len(text) > METADATA_BYTES or "\\u0000" in text:
            raise ValueError("must be at most 16 KiB of JSON without NUL")
        return value


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


def dump_metadata(value: dict[str, Any]) -> str:
    """Write metadata as it is stored."""
    return orjson.dumps(value).decode()
