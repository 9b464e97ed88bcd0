"""A value that a field does not take is told at that field, in a sentence that people understand.

Of every endpoint, every field of the body and the query gets what is of no type that it has, and
then a text that is none of its form.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.rules import RULES, TABLES
from tests.contract.test_fields import resolved
from wellio.testing import World

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.sqlite("nothing gets as far as a database"),
]

Json = Mapping[str, Any]
#: Of no form, and no form's text is in it.
ODD_TEXT = "\u00a7 1_0\u00a7"
#: A pattern or a piece of one; a class of Python or a word of pydantic's.
FOREIGN = re.compile(r"[\\^$*+?{}\[\]|]|\(\?|\bInput\b|\bint\b|\bstr\b|\bpattern\b|None|True|False")


def takes(schema: Json, schemas: Json) -> Iterator[Json]:
    """Yield each of the schemas of which a value may be."""
    schema = resolved(schema, schemas)
    parts = [part for kind in ("anyOf", "oneOf") for part in schema.get(kind, ())]
    for part in parts:
        yield from takes(part, schemas)
    if not parts:
        yield schema


def wrong(schema: Json, schemas: Json) -> dict[str, Any]:
    """Return values that a field does not take, by the codes that may tell so."""
    kinds = list(takes(schema, schemas))
    types = {kind.get("type") for kind in kinds}
    if None in types and not any("enum" in kind or "const" in kind for kind in kinds):
        return {}  # of any type
    odd: dict[str, Any] = {"wrong_type not_one_of": 5 if "string" in types else ODD_TEXT}
    if any(kind.keys() & {"pattern", "format", "enum", "const"} for kind in kinds):
        odd["invalid wrong_form not_one_of"] = ODD_TEXT
    return odd if not types & {"integer", "number"} or "string" not in types else {}


def told(errors: Sequence[Json], name: str, codes: str) -> str | None:
    """Return what is wrong with the error of a field."""
    found = [error for error in errors if error["pointer"] == f"/{name}"]
    if len(found) != 1:
        return f"{len(found)} errors"
    if found[0]["code"] not in codes.split():
        return f"{found[0]['code']}, not {codes}"
    if FOREIGN.search(found[0]["message"]) or "documented form" in found[0]["message"]:
        return f"says {found[0]['message']!r}"
    return None


async def test_a_wrong_value_is_told_at_its_field(world: World) -> None:
    openapi = world.app.openapi
    schemas, breaches, tried = openapi["components"]["schemas"], [], 0
    rules = {rule.call: (rule.yes.split()[0], rule.path) for rule in RULES if rule.yes}
    public = [(rule.call, ("owner", rule.call.split()[1])) for t in TABLES for rule in t.public]
    for call, (who, path) in {**dict(public), **rules}.items():
        method, _, template = call.partition(" ")
        if template not in openapi["paths"]:
            continue
        operation = openapi["paths"][template][method.lower()]
        fields = {
            it["name"]: it["schema"]
            for it in operation.get("parameters", ())
            if it.get("in") == "query"
        }
        content = operation.get("requestBody", {}).get("content", {})
        if body := content.get("application/json", {}).get("schema"):
            fields = resolved(body, schemas).get("properties", {})
        bad = {name: wrong(schema, schemas) for name, schema in fields.items()}
        for codes in {codes for odd in bad.values() for codes in odd}:
            given = {name: odd[codes] for name, odd in bad.items() if codes in odd}
            if not body and "wrong_type" in codes:  # all is text there
                given = {name: value for name, value in given.items() if value != 5}
            query = "&".join(f"{name}={quote(str(value))}" for name, value in given.items())
            target = (await world.fill(path, "carls")).removeprefix("/api/v1")
            reply = await world.api(who).request(
                method, target if body else f"{target}?{query}", given if body else None
            )
            if reply.status != 422:
                breaches.append(f"{call} {given} answers {reply.status}")
                continue
            tried += len(given)
            found = {name: told(reply.data["errors"], name, codes) for name in given}
            breaches += [f"{call} {name}: {what}" for name, what in found.items() if what]
    assert tried > 100
    assert not breaches, "\n".join(breaches)
