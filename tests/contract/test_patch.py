"""In a PATCH absent stays and null empties: on every endpoint alike.

What may be emptied is what the schema says: null is good there, and shows as null afterwards;
elsewhere it is a 422 that names the field. So nobody erases a thing by leaving it out, and nobody
sends a null that does nothing.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.rules import RULES
from tests.contract.test_fields import resolved
from wellio.testing import Rule, World

pytestmark = pytest.mark.sqlite("no SQL is new here")

PATCHES = {rule.call: rule for rule in RULES if rule.call.startswith("PATCH ") and rule.yes}


def is_nullable(schema: Mapping[str, Any]) -> bool:
    """Return whether null is good."""
    return {"type": "null"} in schema.get("anyOf", ())


async def breaches(world: World, rule: Rule) -> list[str]:
    """Try an empty change, and null in each field; return what is not as everywhere."""
    openapi = world.app.openapi
    operation = openapi["paths"][rule.call.removeprefix("PATCH ")]["patch"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    schema = resolved(body, openapi["components"]["schemas"])
    api, path = world.api(rule.yes.split()[0]), await world.fill(rule.path, "carls")
    before = await api.get(path, status=200)
    found = [f"{name} is required" for name in schema.get("required", ())]
    if not found:
        after = await api.patch(path, {})
        if after.status != 200 or after.data != before.data:
            found.append(f"an empty change answers {after.status}, or changes something")
    for name, field in schema["properties"].items():
        reply = await api.patch(path, {name: None})
        if is_nullable(field):
            if reply.status != 200 or reply.data.get(name) not in (None, {}):
                found.append(f"null in {name} answers {reply.status}, or empties nothing")
        elif reply.status != 422 or [it["pointer"] for it in reply.data["errors"]] != [f"/{name}"]:
            found.append(f"null in {name} answers {reply.status}, or names another field")
    return [f"{rule.call}: {breach}" for breach in found]


async def test_absent_stays_and_null_empties(world: World) -> None:
    paths = world.app.openapi["paths"]
    assert {f"PATCH {path}" for path in paths if "patch" in paths[path]} == PATCHES.keys()
    found = [breach for rule in PATCHES.values() for breach in await breaches(world, rule)]
    assert not found, "\n".join(found)
