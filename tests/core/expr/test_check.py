"""What is refused, and how: every fault by its own pointer, and nothing of what was sent."""

from typing import Any

import pydantic
import pytest

from tests.core.expr.conftest import SCHEMA, check
from tests.core.expr.reference import PAGE
from wellio import Expression, ExpressionJson, FieldError, Invalid, Wire
from wellio.expr.nodes import Type
from wellio.field_errors import invalid_from_pydantic

BAD = "hostile"
N, T, B, ITEMS = ({"field": name} for name in ("n1", "t1", "b1", "items"))


def op(name: str, *args: Any, **members: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args), **members}


def nested(levels: int) -> Any:
    return op("not", nested(levels - 1)) if levels > 1 else B


def wide(parts: int) -> Any:
    rows, rest = divmod(parts - 1, 100)
    return op("or", *(op("or", *[B] * 99) for _ in range(rows)), *[B] * rest)


#: A form, and its faults as (pointer, code). The first group is wrong whatever the schema.
SHAPES: list[tuple[Any, list[tuple[str, str]]]] = [
    ([], [("", "wrong_form")]),
    ([1], [("", "wrong_form")]),
    ({}, [("", "wrong_form")]),
    ({"value": BAD}, [("", "wrong_form")]),
    (object(), [("", "wrong_form")]),
    (float("nan"), [("", "number_range")]),
    (float("inf"), [("", "number_range")]),
    (2**53 + 1, [("", "number_range")]),
    (-(10**400), [("", "number_range")]),
    (1e-20, [("", "number_range")]),
    ("x" * 1001, [("", "too_long")]),
    ("a\x00b", [("", "bad_text")]),
    ("\ud800", [("", "bad_text")]),
    ({"field": None}, [("/field", "wrong_form")]),
    ({"field": ["n1"]}, [("/field", "wrong_form")]),
    ({"field": "n1", "a/b": BAD}, [("/a~1b", "extra_forbidden")]),
    ({"instant": BAD}, [("/instant", "bad_instant")]),
    ({"instant": 5}, [("/instant", "bad_instant")]),
    ({"instant": "2026-02-30T00:00:00Z"}, [("/instant", "bad_instant")]),
    ({"op": BAD, "args": [N]}, [("/op", "unknown_operator")]),
    ({"op": ["eq"], "args": [N]}, [("/op", "unknown_operator")]),
    ({"op": "eq"}, [("/args", "missing")]),
    ({"op": "eq", "args": N}, [("/args", "wrong_form")]),
    (op("eq", 1), [("/args", "wrong_count")]),
    (op("eq", 1, 2, 3), [("/args", "wrong_count")]),
    (op("and"), [("/args", "wrong_count")]),
    (op("and", *[True] * 101), [("/args", "wrong_count")]),
    (op("eq", 1, 2, minAnswered=1), [("/minAnswered", "extra_forbidden")]),
    (op("sum", N, minAnswered=0), [("/minAnswered", "bad_number")]),
    (op("sum", N, minAnswered=2), [("/minAnswered", "bad_number")]),
    (op("sum", N, minAnswered=True), [("/minAnswered", "bad_number")]),
    (op("sum", N, minAnswered=1.0), [("/minAnswered", "bad_number")]),
    (op("bands", N), [("/bands", "missing")]),
    (op("bands", N, bands=[]), [("/bands", "wrong_form")]),
    (op("bands", N, bands=[1]), [("/bands/0", "wrong_form")]),
    (
        op("bands", N, bands=[{"from": BAD}, {"from": True, "label": 5, "to": 1}]),
        [
            ("/bands/0/from", "wrong_form"),
            ("/bands/0/label", "wrong_form"),
            ("/bands/1/to", "extra_forbidden"),
            ("/bands/1/from", "wrong_form"),
            ("/bands/1/label", "wrong_form"),
        ],
    ),
    (
        op("bands", N, bands=[{"from": 1, "label": "a"}, {"from": 1.0, "label": "b"}]),
        [("/bands/1/from", "wrong_order")],
    ),
    (nested(11), [("/args/0" * 10, "too_deep")]),
    (wide(501), [("", "too_large")]),
    (wide(5001), [("", "too_large")]),
    (
        op("and", {"op": BAD}, {"field": 1}, op("not", [])),
        [
            ("/args/0/op", "unknown_operator"),
            ("/args/1/field", "wrong_form"),
            ("/args/2/args/0", "wrong_form"),
        ],
    ),
]
TYPES: list[tuple[Any, list[tuple[str, str]]]] = [
    (None, [("", "untyped")]),
    (ITEMS, [("", "wrong_type")]),
    ({"field": BAD}, [("/field", "unknown_field")]),
    (op("not", N), [("/args/0", "wrong_type")]),
    (op("eq", N, T), [("/args/1", "wrong_type")]),
    (op("eq", None, None), [("/args/0", "untyped"), ("/args/1", "untyped")]),
    (op("eq", ITEMS, ITEMS), [("/args/0", "wrong_type"), ("/args/1", "wrong_type")]),
    (op("lt", B, B), [("/args/0", "wrong_type"), ("/args/1", "wrong_type")]),
    (op("gt", {"instant": "now"}, 5), [("/args/1", "wrong_type")]),
    (op("in", T, "a", 1, "b", True), [("/args/2", "wrong_type"), ("/args/4", "wrong_type")]),
    (op("if", N, 1, "a"), [("/args/0", "wrong_type"), ("/args/2", "wrong_type")]),
    (op("has", T, "a"), [("/args/0", "wrong_type")]),
    (op("has", ITEMS, 1), [("/args/1", "wrong_type")]),
    (op("add", N, "1"), [("/args/1", "wrong_type")]),
    (op("count_answered", N, ITEMS), [("/args/1", "wrong_type")]),
    (op("multiply", *[N] * 10), [("", "number_range")]),
    (
        op("and", op("gt", op("multiply", *[N] * 10), 1), {"field": BAD}),
        [("/args/0/args/0", "number_range"), ("/args/1/field", "unknown_field")],
    ),
    (op("mean", op("mean", *[op("mean", *[N] * 9)] * 9), N), [("", "too_large")]),
    (op("sum", op("sum", op("sum", op("sum", op("sum", N))))), [("", "too_deep")]),
]
#: A shape, a type and a field: all at once.
MIXED = (
    op("and", {"op": BAD}, N, {"field": BAD}),
    [
        ("/args/0/op", "unknown_operator"),
        ("/args/1", "wrong_type"),
        ("/args/2/field", "unknown_field"),
    ],
)


def faults(errors: tuple[FieldError, ...]) -> list[tuple[str, str]]:
    assert all(BAD not in error.message for error in errors)
    assert all(error.message for error in errors)
    return sorted((error.pointer, error.code) for error in errors)


@pytest.mark.parametrize("form, expected", [*SHAPES, *TYPES, MIXED])
def test_every_fault_has_its_pointer(form: Any, expected: list[tuple[str, str]]) -> None:
    with pytest.raises(Invalid) as caught:
        Expression.check(form, SCHEMA, pointer="/rule")
    assert faults(caught.value.errors) == sorted((f"/rule{at}", code) for at, code in expected)


class Rule(Wire):
    when: ExpressionJson
    name: str


@pytest.mark.parametrize("form, expected", SHAPES)
def test_an_endpoint_names_the_same_faults(form: Any, expected: list[tuple[str, str]]) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Rule.model_validate({"when": form})
    errors = invalid_from_pydantic(caught.value).errors
    wanted = [(f"/when{at}", code) for at, code in expected] + [("/name", "missing")]
    assert faults(errors) == sorted(wanted)


@pytest.mark.parametrize("form", [form for form, _ in TYPES])
def test_an_endpoint_leaves_types_to_the_check(form: Any) -> None:
    assert Rule(when=form, name="a").when == form


@pytest.mark.parametrize(
    "form, returns, is_fine",
    [
        (N, "number", True),
        (N, "bool", False),
        (None, "bool", True),
        (op("gt", N, 1), "bool", True),
        (op("if", B, None, T), "text", True),
        (op("if", B, None, T), "number", False),
        ({"instant": "now"}, "instant", True),
    ],
)
def test_what_it_gives_is_checked(form: Any, returns: Type, is_fine: bool) -> None:
    if is_fine:
        assert Expression.check(form, SCHEMA, returns=returns).type == returns
        return
    with pytest.raises(Invalid) as caught:
        Expression.check(form, SCHEMA, returns=returns)
    assert faults(caught.value.errors) == [("", "wrong_type")]


def test_what_it_reads_is_known() -> None:
    assert check(op("and", op("gt", N, {"field": "n2"}), op("lt", N, 3))).fields == {"n1", "n2"}
    assert check(5).fields == frozenset()


@pytest.mark.parametrize(
    "name, value",
    [
        *(("n1", value) for value in ("1", True, [1])),
        *(("t1", value) for value in (1, b"a")),
        *(("b1", value) for value in (2, "true")),
        *(("at1", value) for value in (1.5, True, "2026-03-01T00:00:00Z")),
        ("items", "vip"),
    ],
)
def test_a_value_of_another_type_is_a_mistake_of_the_program(name: str, value: Any) -> None:
    form = op("has", ITEMS, "a") if name == "items" else {"field": name}
    with pytest.raises(TypeError, match=name):
        check(form).evaluate({name: value}, now=0)


def test_the_documentation_lists_every_code() -> None:
    table = PAGE.read_text().partition("| Code |")[2].partition("\n## ")[0]
    listed = {
        code.strip("`")
        for row in table.splitlines()[2:]
        for code in row.split("|")[1:2]
        for code in code.replace(" ", "").split(",")
    }
    assert listed == {code for _, expected in SHAPES + TYPES for _, code in expected}
