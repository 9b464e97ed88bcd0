"""The form on the wire: described for every client, refused with pointers, kept as it came."""

from typing import Any

import jsonschema
import orjson
import pydantic
import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.core.expr.forms import expressions
from tests.core.expr.test_check import SHAPES
from tests.core.http.small_app import running
from wellio import ExpressionJson, Wire, endpoint
from wellio.expr.table import OPERATORS

#: What the schema does not say: it knows no single operator, and no sizes of the whole.
UNSAID = {
    *("too_deep", "too_large", "wrong_order", "bad_text", "bad_number", "number_range"),
    *("wrong_count", "bad_instant", "extra_forbidden", "missing"),
}


class Rule(Wire):
    condition: ExpressionJson


class RuleApi:
    @endpoint("POST", "/rules", body=Rule, returns=Rule, permission="things.write")
    async def create(self, request: web.Request, body: Rule) -> dict[str, Any]:
        """Give a rule back."""
        return body.model_dump()


def schema() -> Any:
    description = pydantic.TypeAdapter(ExpressionJson).json_schema()
    jsonschema.Draft202012Validator.check_schema(description)
    return jsonschema.Draft202012Validator(description)


VALIDATOR = schema()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(expressions(depth=4))
def test_the_schema_takes_every_good_form(form: Any) -> None:
    # Its integers may be floats; JSON does not tell them apart.
    assert list(VALIDATOR.iter_errors(orjson.loads(orjson.dumps(form)))) == []
    assert Rule(condition=form).model_dump() == {"condition": form}


@pytest.mark.parametrize(
    "form",
    [
        *(form for form, faults in SHAPES if not UNSAID & {code for _, code in faults}),
        {"op": "not", "args": [True], "else": 1},
        {"op": "not"},
        {"op": "not", "args": []},
        {"op": "bands", "args": [1], "bands": []},
        {"op": "sum", "args": [1], "minAnswered": 0},
    ],
)
def test_the_schema_refuses_other_shapes(form: Any) -> None:
    assert list(VALIDATOR.iter_errors(form))


async def test_an_endpoint_takes_and_describes_the_form() -> None:
    async with running(RuleApi()) as app:
        assert list(OpenAPIV31SpecValidator(app.http.openapi).iter_errors()) == []
        components = app.http.openapi["components"]["schemas"]
        assert {"Rule", "ExpressionForm"} <= components.keys()  # one each, not -Input and -Output
        assert components["ExpressionOfOperator"]["properties"]["op"]["enum"] == list(OPERATORS)
        good = {"condition": {"op": "gt", "args": [{"field": "score"}, 1.5]}}
        answer = await app.request("POST", "/api/v1/rules", orjson.dumps(good))
        assert (answer.status, answer.data) == (200, good)
        bad = {"condition": {"op": "not", "args": [{"op": "a", "args": []}], "b": 1}}
        answer = await app.request("POST", "/api/v1/rules", orjson.dumps(bad))
        assert answer.status == 422
        assert [(it["pointer"], it["code"]) for it in answer.data["errors"]] == [
            ("/condition/b", "extra_forbidden"),
            ("/condition/args/0/op", "unknown_operator"),
        ]
