"""What each operator means: the same in Python, on SQLite and on Postgres."""

from typing import Any

import pytest

from tests.core.expr.conftest import NOW, Oracles, check

N1, N2, WHOLE = {"field": "n1"}, {"field": "n2"}, {"field": "whole"}
T1, T2 = {"field": "t1"}, {"field": "t2"}
B1, B2 = {"field": "b1"}, {"field": "b2"}
AT1, AT2 = {"field": "at1"}, {"field": "at2"}
ITEMS = {"field": "items"}
DAY_MS = 86_400_000


def op(name: str, *args: Any, **members: Any) -> dict[str, Any]:
    return {"op": name, "args": list(args), **members}


BANDS = [{"from": 0, "label": "low"}, {"from": 5, "label": "high"}]
CASES: list[tuple[Any, dict[str, Any], Any]] = [
    # what stands for itself
    (7, {}, 7.0),
    ("it's", {}, "it's"),
    (True, {}, True),
    ({"instant": "1970-01-01T00:00:01Z"}, {}, 1000),
    ({"instant": "now"}, {}, NOW),
    (N1, {"n1": 2.5}, 2.5),
    (WHOLE, {"whole": 3}, 3.0),
    (T1, {"t1": "Ä"}, "Ä"),
    (B1, {"b1": False}, False),
    (AT1, {"at1": -5}, -5),
    (N1, {}, None),
    # numbers as fields read them
    (WHOLE, {"whole": 2**53}, 2.0**53),
    (WHOLE, {"whole": 2**53 + 1}, 2.0**53),
    (WHOLE, {"whole": 2**53 + 2}, None),
    (WHOLE, {"whole": -(2**63)}, None),
    (N1, {"n1": float("inf")}, None),
    (N1, {"n1": float("nan")}, None),
    (N1, {"n1": 1e300}, None),
    (N1, {"n1": 2.0**-54}, 0.0),
    (N1, {"n1": -5e-324}, 0.0),
    (N1, {"n1": 2.0**-53}, 2.0**-53),
    # comparing
    (op("eq", N1, 0.1), {"n1": 0.1}, True),
    (op("eq", N1, 0), {"n1": -0.0}, True),
    (op("eq", op("add", 0.1, 0.2), 0.3), {}, False),
    (op("eq", T1, "Ada"), {"t1": "ada"}, False),
    (op("eq", T1, "e\u0301"), {"t1": "é"}, False),
    (op("eq", T1, "a"), {"t1": "a "}, False),
    (op("eq", B1, True), {"b1": True}, True),
    (op("eq", AT1, {"instant": "now"}), {"at1": NOW}, True),
    (op("eq", N1, None), {"n1": 1}, None),
    (op("eq", N1, N2), {}, None),
    (op("ne", T1, "a"), {"t1": "b"}, True),
    (op("ne", T1, "a"), {}, None),
    (op("lt", N1, N2), {"n1": -1, "n2": 1}, True),
    (op("lt", T1, "a"), {"t1": "Z"}, True),
    (op("lt", T1, "\uffff"), {"t1": "\U0001f600"}, False),
    (op("lt", T1, "z"), {"t1": "ä"}, False),
    (op("lt", N1, 2), {"n1": 2}, False),
    (op("lte", N1, 2), {"n1": 2}, True),
    (op("gt", N1, 2), {"n1": 2}, False),
    (op("gt", AT1, AT2), {"at1": 2, "at2": 1}, True),
    (op("gt", WHOLE, 9.5), {"whole": 10}, True),
    (op("gte", T1, ""), {"t1": ""}, True),
    (op("gte", N1, 1), {}, None),
    (op("between", N1, 1, 3), {"n1": 3}, True),
    (op("between", N1, 3, 1), {"n1": 2}, False),
    (op("between", N1, N2, 3), {"n1": 4}, False),
    (op("between", N1, N2, 3), {"n1": 2}, None),
    (op("between", T1, "a", "c"), {"t1": "b"}, True),
    (op("in", T1, "a", "b"), {"t1": "b"}, True),
    (op("in", T1, "a", "b"), {"t1": "B"}, False),
    (op("in", T1, "a", None), {"t1": "a"}, True),
    (op("in", T1, "a", None), {"t1": "b"}, None),
    (op("in", T1, "a"), {}, None),
    (op("in", N1, 1, N2), {"n1": 2, "n2": 2}, True),
    # three-valued logic
    *(
        (op(name, B1, B2), {"b1": first, "b2": second}, expected)
        for name, first, second, expected in [
            ("and", True, True, True),
            ("and", True, False, False),
            ("and", True, None, None),
            ("and", False, None, False),
            ("and", None, None, None),
            ("or", False, False, False),
            ("or", True, None, True),
            ("or", False, None, None),
            ("or", None, None, None),
        ]
    ),
    (op("and", B1), {"b1": True}, True),
    (op("not", B1), {"b1": False}, True),
    (op("not", B1), {}, None),
    (op("not", op("and", B1, B2)), {"b1": True}, None),
    (op("is_null", T1), {}, True),
    (op("is_null", T1), {"t1": ""}, False),
    (op("is_null", op("divide", 1, 0)), {}, True),
    (op("is_null", None), {}, True),
    (op("coalesce", N1, N2, 5), {}, 5.0),
    (op("coalesce", N1, N2, 5), {"n2": 0}, 0.0),
    (op("coalesce", T1, T2), {}, None),
    (op("if", B1, "yes", "no"), {"b1": True}, "yes"),
    (op("if", B1, "yes", "no"), {}, "no"),
    (op("if", B1, 1, None), {"b1": False}, None),
    (op("if", B1, AT1, {"instant": "now"}), {"b1": True, "at1": 4}, 4),
    # arithmetic
    (op("add", 0.1, 0.2, 0.3), {}, 0.1 + 0.2 + 0.3),
    (op("add", N1, 1e15, -1e15), {"n1": 0.1}, 0.1 + 1e15 - 1e15),
    (op("add", N1, 1), {}, None),
    (op("subtract", 1, WHOLE), {"whole": 3}, -2.0),
    (op("multiply", 3, 4, 0.1), {}, 3 * 4 * 0.1),
    (op("multiply", 2**53, 2**53), {}, 2.0**106),
    (op("divide", 1, 2), {}, 0.5),
    (op("divide", WHOLE, 2), {"whole": 7}, 3.5),
    (op("divide", WHOLE, N1), {"whole": 7, "n1": 0}, None),
    (op("divide", WHOLE, N1), {"whole": 7, "n1": -0.0}, None),
    (op("divide", 0, 0), {}, None),
    (op("divide", -0.0, 3), {}, 0.0),
    # text and lists
    (op("contains", T1, "%"), {"t1": "50 %"}, True),
    (op("contains", T1, "_"), {"t1": "ab"}, False),
    (op("contains", T1, "B"), {"t1": "abc"}, False),
    (op("contains", T1, ""), {"t1": ""}, True),
    (op("contains", "a'b\\c", T1), {"t1": "'b\\"}, True),
    (op("contains", T1, "x"), {}, None),
    (op("contains", T1, None), {"t1": "x"}, None),
    (op("starts_with", T1, "😀"), {"t1": "😀 hi"}, True),
    (op("starts_with", T1, "b"), {"t1": "abab"}, False),
    (op("starts_with", T1, ""), {"t1": "a"}, True),
    (op("starts_with", T1, "ab"), {"t1": "a"}, False),
    (op("lower", T1), {"t1": "AZ ÄÉİ ẞ"}, "az ÄÉİ ẞ"),
    (op("lower", T1), {}, None),
    (op("has", ITEMS, "vip"), {"items": ["a", "vip"]}, True),
    (op("has", ITEMS, "vip"), {"items": ["VIP"]}, False),
    (op("has", ITEMS, "vip"), {"items": []}, False),
    (op("has", ITEMS, "vip"), {}, False),
    (op("has", ITEMS, T1), {"items": ["a"]}, None),
    (op("has", ITEMS, T1), {"items": []}, False),
    # scores
    (op("sum", N1, N2, WHOLE), {"n1": 1, "n2": 2, "whole": 3}, 6.0),
    (op("sum", N1, N2, WHOLE), {"n1": 1, "whole": 3}, None),
    (op("sum", N1, N2, WHOLE, minAnswered=2), {"n1": 1, "whole": 3}, 4.0),
    (op("sum", N1, N2, WHOLE, minAnswered=None), {"n1": 1, "whole": 3}, None),
    (op("sum", N1, minAnswered=1), {}, None),
    (op("mean", N1, N2, minAnswered=1), {"n2": 5}, 5.0),
    (op("mean", N1, WHOLE), {"n1": 1, "whole": 2}, 1.5),
    (op("prorate", N1, N2, WHOLE, minAnswered=2), {"n1": 1, "n2": 2}, 4.5),
    (op("prorate", N1, N2, WHOLE, minAnswered=2), {"n1": 1}, None),
    (op("prorate", N1, N2), {"n1": 1, "n2": 2}, 3.0),
    (op("min", N1, N2, WHOLE, minAnswered=2), {"n1": 4, "whole": -3}, -3.0),
    (op("min", N1, N2), {"n1": 4}, None),
    (op("min", N1, minAnswered=1), {"n1": 4}, 4.0),
    (op("max", N1, N2, WHOLE, minAnswered=1), {"n2": -4}, -4.0),
    (op("max", N1, N2, minAnswered=1), {}, None),
    (op("count_answered", N1, T1, B1, AT1), {"t1": "", "b1": False}, 2.0),
    (op("count_answered", N1), {}, 0.0),
    (op("reverse", N1, 0, 3), {"n1": 1}, 2.0),
    (op("reverse", N1, 1, 5), {"n1": 5}, 1.0),
    (op("reverse", N1, 0, 3), {}, None),
    (op("bands", N1, bands=BANDS), {"n1": 4.99}, "low"),
    (op("bands", N1, bands=BANDS), {"n1": 5}, "high"),
    (op("bands", N1, bands=BANDS), {"n1": -1}, None),
    (op("bands", N1, bands=BANDS), {}, None),
    # time
    (op("days_between", AT1, {"instant": "now"}), {"at1": NOW - 3 * DAY_MS // 2}, 1.5),
    (op("days_between", AT1, AT2), {"at1": DAY_MS, "at2": 0}, -1.0),
    (op("days_between", AT1, AT2), {"at1": -(2**63), "at2": 2**63 - 1}, 2.0**64 / DAY_MS),
    (op("days_between", AT1, AT2), {"at1": 0}, None),
]


@pytest.mark.parametrize("form, row, expected", CASES)
def test_an_operator_gives_what_is_expected(
    oracles: Oracles, form: Any, row: dict[str, Any], expected: Any
) -> None:
    [[answer]] = oracles.answers([check(form)], [row])
    assert (answer, type(answer)) == (expected, type(expected))


def test_every_operator_is_tried() -> None:
    from wellio.expr.table import OPERATORS

    tried = {form["op"] for form, _, _ in CASES if isinstance(form, dict) and "op" in form}
    assert tried == OPERATORS.keys()
