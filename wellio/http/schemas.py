"""JSON schemas of the types that endpoints and socket events declare, under names for people."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

import pydantic
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import WithDefaultSchema

from wellio.realtime import EventRouter

from .route import Route

Json = dict[str, Any]
Part = Literal["query", "body", "returns", "emits"]
Key = tuple[int | str, Part]
"""An endpoint by its index, or a socket event by its name; and which part of it."""
Schemas = dict[Key, Json]

REFERENCE = "#/components/schemas/{model}"
_GENERIC = re.compile(r"(?:.*\.)?(\w+)\[(.*)\]")


def schemas_of(routes: Sequence[Route], sockets: EventRouter | None) -> tuple[Schemas, Json]:
    """Return the schemas of everything that is declared, and what they refer to."""
    return _generate((*_of_routes(routes), *(_of_events(sockets) if sockets else ())))


def _of_routes(routes: Sequence[Route]) -> Iterator[tuple[Key, Any]]:
    parts: tuple[Part, ...] = ("query", "body", "returns")
    for index, route in enumerate(routes):
        for part in parts:
            if (type_ := getattr(route.endpoint, part)) is not None:
                yield (index, part), type_


def _of_events(sockets: EventRouter) -> Iterator[tuple[Key, Any]]:
    for event in sockets.events:
        if event.body is not None:
            yield (event.name, "body"), event.body
        yield (event.name, "returns"), event.ack
    for sent in sockets.emitted:
        yield (sent.name, "emits"), sent.data


class _Schemas(GenerateJsonSchema):
    """Schemas without pydantic's titles of fields, which repeat their names in lower case."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def normalize_name(self, name: str) -> str:
        """Name a page of clients `ClientPage`; pydantic would say `Page_Client_`."""
        if generic := _GENERIC.fullmatch(name):
            outer, inner = generic.groups()
            first = re.sub(r"^[\w.]*Union\w*\[", "", inner).partition(",")[0].rstrip("]")
            name = f"{first.rpartition('.')[2]}{outer}"
        return super().normalize_name(name)


class _BodySchemas(_Schemas):
    """What is sent says which fields may be left out, and not what they are then.

    A default would be untrue of a change, where absent is not the default but what is there; and
    what makes types of a schema takes a field with one for a field that is always there.
    """

    def default_schema(self, schema: WithDefaultSchema) -> Json:
        if self.mode == "validation":
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


@lru_cache(maxsize=4)  # the apps of one process mostly declare the same, as in tests
def _generate(types: tuple[tuple[Key, Any], ...]) -> tuple[Schemas, Json]:
    """Generate the schemas; a model of both bodies and answers has two where these differ."""
    schemas: Schemas = {}
    components: Json = {}
    # The queries apart: they keep their defaults, and share nothing with the others but enums.
    for is_query, generator in ((True, _Schemas), (False, _BodySchemas)):
        inputs: list[tuple[Any, Any, pydantic.TypeAdapter[Any]]] = [
            (
                key,
                "validation" if key[1] in {"query", "body"} else "serialization",
                pydantic.TypeAdapter(type_),
            )
            for key, type_ in types
            if (key[1] == "query") is is_query
        ]
        found, shared = pydantic.TypeAdapter.json_schemas(
            inputs, ref_template=REFERENCE, schema_generator=generator
        )
        schemas |= {key: schema for (key, _), schema in found.items()}
        components |= shared.get("$defs", {})
    return schemas, components
