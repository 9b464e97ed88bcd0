"""Makes expressions and rows: whatever the table of operators allows, and the nastiest values."""

from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.core.expr.conftest import SCHEMA
from wellio import rfc3339
from wellio.expr.nodes import Type
from wellio.expr.operator import SCALARS, Group, Operator
from wellio.expr.table import OPERATORS

LARGEST = 2**53
DAY_MS = 86_400_000

texts = st.one_of(
    st.sampled_from("aA"),  # often the same
    st.sampled_from(["", "a", "A", "%", "_", "'", '"', "\\", ":n1", "{float}", "$1", "?", "--"]),
    st.text(
        st.one_of(
            st.sampled_from("aAbB%_'\"\\ äÄßẞiİ\u0131\u017f\u0301\U0001f600\uffff"),
            st.characters(codec="utf-8", exclude_characters="\x00"),
        ),
        max_size=6,
    ),
)
numbers = st.one_of(
    st.integers(0, 3),  # often the same
    st.integers(-5, 30),
    st.sampled_from([-0.0, 0.1, 0.2, 0.3, 1 / 3, LARGEST, -LARGEST, LARGEST - 1, 2.0**-53]),
    st.floats(2.0**-53, 2.0**53),
    st.floats(-(2.0**53), -(2.0**-53)),
)
#: What a column may hold although no literal does.
stored_numbers = st.one_of(
    st.integers(0, 3),  # often the same
    numbers,
    st.floats(),
    st.sampled_from([LARGEST + 1, LARGEST + 2, 2.0**-54, 5e-324, 1.7e308, float("nan")]),
)
whole_numbers = st.one_of(
    st.integers(0, 3),  # often the same
    st.integers(-5, 30),
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([LARGEST, LARGEST + 1]),
)
instants = st.one_of(
    st.integers(-62_000_000_000_000, 250_000_000_000_000),
    st.integers(0, 3000).map(lambda days: days * DAY_MS),
)
rows = st.fixed_dictionaries(
    {
        "n1": st.none() | stored_numbers,
        "n2": st.none() | numbers,
        "whole": st.none() | whole_numbers,
        "t1": st.none() | texts,
        "t2": st.none() | texts,
        "b1": st.none() | st.booleans(),
        "b2": st.none() | st.booleans(),
        "at1": st.none() | instants,
        "at2": st.none() | instants | st.integers(-(2**63), 2**63 - 1),
        "items": st.none() | st.lists(texts, max_size=3),
    }
)

LITERALS: dict[Type, st.SearchStrategy[Any]] = {
    "number": numbers,
    "text": texts,
    "bool": st.booleans(),
    "instant": st.builds(lambda at: {"instant": rfc3339(at)}, instants)
    | st.just({"instant": "now"}),
}


bands = st.lists(
    st.tuples(numbers, texts), min_size=1, max_size=4, unique_by=lambda band: float(band[0])
).map(lambda pairs: [{"from": at, "label": label} for at, label in sorted(pairs)])


@cache
def forms(type_: Type, depth: int) -> st.SearchStrategy[Any]:
    """Return a strategy of expressions of a type, of some levels at most."""
    fields = [{"field": name} for name, field in SCHEMA.items() if field.type == type_]
    leaf = st.sampled_from(fields)
    if type_ == "texts":
        return leaf
    leaf |= LITERALS[type_]
    if depth == 1:
        return leaf
    calls = [calls_of(it, type_, depth) for it in OPERATORS.values() if gives(it, type_)]
    return st.one_of(leaf, *calls)


def gives(operator: Operator, type_: Type) -> bool:
    return type_ in ([operator.gives] if operator.gives else operator.takes[-1].types)


def calls_of(operator: Operator, type_: Type, depth: int) -> st.SearchStrategy[Any]:
    """Return a strategy of the uses of an operator that give a type."""
    groups = [
        operands(group, None if operator.gives else type_, depth - 1) for group in operator.takes
    ]
    args = st.tuples(*groups).map(lambda parts: [arg for part in parts for arg in part])
    calls = args.map(lambda args: {"op": operator.name, "args": args})
    if operator.option == "minAnswered":
        return st.one_of(calls, st.tuples(calls, st.integers(0, 9)).map(with_least))
    if operator.option == "bands":
        return st.tuples(calls, bands).map(lambda pair: pair[0] | {"bands": pair[1]})
    return calls


def with_least(pair: tuple[dict[str, Any], int]) -> dict[str, Any]:
    call, number = pair
    return call | {"minAnswered": 1 + number % len(call["args"])}


def operands(group: Group, wanted: Type | None, depth: int) -> st.SearchStrategy[list[Any]]:
    """Return a strategy of the operands of a group; null may stand beside what has a type."""

    def of(type_: Type) -> st.SearchStrategy[list[Any]]:
        first = forms(type_, depth)
        least, most = group.least - 1, min(group.most, group.least + 2) - 1
        rest = st.lists(st.one_of(first, first, st.none()), min_size=least, max_size=most)
        return st.tuples(first, rest).map(lambda pair: [pair[0], *pair[1]])

    if not group.is_alike:
        each = st.one_of(st.none(), *(forms(type_, depth) for type_ in group.types))
        return st.lists(each, min_size=group.least, max_size=min(group.most, 4))
    if wanted in group.types:
        return st.deferred(lambda: of(wanted))
    return st.sampled_from(group.types).flatmap(of)


def expressions(depth: int) -> st.SearchStrategy[Any]:
    """Return a strategy that gives every operator its turn: near its operands, and far away."""
    return st.one_of(
        *(
            calls_of(operator, type_, levels)
            for operator in OPERATORS.values()
            for type_ in SCALARS
            if gives(operator, type_)
            for levels in (2, depth)
        )
    )
