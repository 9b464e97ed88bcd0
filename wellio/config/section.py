"""A section: a table of settings, read strictly, and refused in words that name each wrong one."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator
from pydantic_core import ErrorDetails

from wellio.errors import ConfigError
from wellio.field_errors import in_words
from wellio.strict.exact import Exact
from wellio.strict.texts import table_json

from .sources import Origins, dotted

_LIST: Final = 'must be a list such as ["a", "b"], or a,b in the environment'
_OF_LISTS: Final = frozenset({"tuple_type", "list_type", "set_type", "frozen_set_type"})
_OF_TABLES: Final = frozenset({"model_type", "model_attributes_type", "dict_type"})
_ALIKE: Final = 0.8
SectionT = TypeVar("SectionT", bound="SectionModel")


class SectionModel(Exact):
    """A table of `config.toml`: nothing unknown, and nothing taken for what it is not."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        validate_default=False,
    )

    @field_validator("*", mode="after")
    @classmethod
    def _no_empty_items(cls, value: Any) -> Any:
        """Refuse what a comma too many makes of a list, and a list that says so itself."""
        if isinstance(value, list | tuple) and any(
            isinstance(item, str) and not item.strip() for item in value
        ):
            raise ValueError("must have no empty item, such as behind a last comma")
        return value


def validate_section(
    model: type[SectionT], raw: Mapping[str, Any], name: str = "", origins: Origins | None = None
) -> tuple[SectionT | None, list[str]]:
    """Check a table against its model.

    Args:
        model: The section's model.
        raw: The table as it was read.
        name: The section's dotted name, such as `plugins.chat`.
        origins: Where its settings stand.

    Returns:
        The section, or None and a line for each setting that is wrong. No line holds a value.
    """
    origins = Origins() if origins is None else origins
    try:
        return model.model_validate_json(table_json(model, raw), strict=True), []
    except ValidationError as error:
        problems: list[str] = []
        for item in error.errors(include_url=False, include_input=False):
            if item["type"] == "extra_forbidden":
                problems += _unknown(model, raw, item["loc"], name, origins)
            else:
                problems.append(f"{origins.of(name, *item['loc'])}: {_expected(item)}")
        return None, problems


def wrong_settings(problems: list[str]) -> ConfigError:
    """Return the error that names every wrong setting."""
    return ConfigError("these settings are wrong:\n" + "\n".join(f"  {line}" for line in problems))


def _expected(item: ErrorDetails) -> str:
    if item["type"] in _OF_LISTS:
        return _LIST
    if item["type"] in _OF_TABLES:
        return "must be a table"
    _, message = in_words(item)
    return message


def _unknown(
    model: type[BaseModel],
    raw: Mapping[str, Any],
    location: tuple[int | str, ...],
    name: str,
    origins: Origins,
) -> Iterator[str]:
    """Yield a line for each setting under an unknown name, with the known name it resembles."""
    value: Any = raw
    for part in location:
        value = value[part]
    known = list(_settings(model, name))
    for leaf in _leaves(value, dotted(name, *location)):
        likely = get_close_matches(leaf, known, n=1, cutoff=_ALIKE)
        hint = f"; did you mean {origins.like(leaf, likely[0])}?" if likely else ""
        yield f"{origins.of(leaf)}: unknown setting{hint}"


def _settings(model: type[BaseModel], name: str) -> Iterator[str]:
    """Yield the dotted names of a model's settings."""
    for key, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _settings(field.annotation, dotted(name, key))
        else:
            yield dotted(name, key)


def _leaves(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, dotted(name, key))
    else:
        yield name
