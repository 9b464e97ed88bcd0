"""Writes the operators into `docs/expressions.md`: `python -m tests.core.expr.reference`."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any, Final

from tests.core.source_tree import ROOT
from wellio import ExpressionField, parse_rfc3339, rfc3339
from wellio.expr.operator import MANY, Group, Operator
from wellio.expr.table import OPERATORS

PAGE: Final = ROOT / "docs" / "expressions.md"
BEGIN: Final = "<!-- operators: written by tests/core/expr/reference.py -->\n"
END: Final = "<!-- end of operators -->\n"
#: The operator before which a heading stands.
HEADINGS: Final = {
    "eq": "Comparing",
    "and": "Logic and null",
    "add": "Arithmetic",
    "contains": "Text and lists",
    "sum": "Scores",
    "days_between": "Time",
}
#: What all examples are about.
NOW: Final = parse_rfc3339("2026-03-15T12:00:00Z")
FIELDS: Final[dict[str, tuple[ExpressionField, Any]]] = {
    "name": (ExpressionField("text", "t.name"), "Ada Lovelace"),
    "nickname": (ExpressionField("text", "t.nickname"), None),
    "city": (ExpressionField("text", "t.city"), "Berlin"),
    "isActive": (ExpressionField("bool", "t.is_active"), True),
    "score": (ExpressionField("number", "t.score"), 12),
    "q1": (ExpressionField("number", "t.q1"), 3),
    "q2": (ExpressionField("number", "t.q2"), 2),
    "q3": (ExpressionField("number", "t.q3"), None),
    "lastSeenAt": (
        ExpressionField("instant", "t.last_seen_at"),
        parse_rfc3339("2026-03-01T00:00:00Z"),
    ),
    "labels": (
        ExpressionField("texts", "SELECT value FROM {json_texts}(t.labels)"),
        ["vip", "evening"],
    ),
}
SCHEMA: Final = {name: field for name, (field, _) in FIELDS.items()}
VALUES: Final = {name: value for name, (_, value) in FIELDS.items()}


def operands(group: Group) -> str:
    types = ", ".join(group.types[:-1]) + " or " * (len(group.types) > 1) + group.types[-1]
    if group.least == group.most:
        return types if group.most == 1 else f"{group.most} of {types}"
    return f"{group.least} to {MANY} of {types}"


def section(operator: Operator) -> Iterator[str]:
    takes = "; ".join(map(operands, operator.takes))
    yield f"#### `{operator.name}`\n"
    yield f"Takes {takes}. Gives {operator.gives or 'the type of its operands'}.\n"
    yield textwrap.fill(f"{operator.summary} *{operator.nulls}*", 10_000) + "\n"
    yield f"```json\n{json.dumps(operator.example)}\n```\n"
    yield f"gives `{json.dumps(operator.result)}`.\n"


def example_values() -> Iterator[str]:
    yield "| Field | Type | Value |\n| --- | --- | --- |"
    for name, (field, value) in FIELDS.items():
        shown = rfc3339(value) if field.type == "instant" else json.dumps(value)
        yield f"| `{name}` | {field.type} | `{shown}` |"
    yield f"\nNow is `{rfc3339(NOW)}`.\n"


def operators() -> str:
    lines = list(example_values())
    for operator in OPERATORS.values():
        if operator.name in HEADINGS:
            lines.append(f"### {HEADINGS[operator.name]}\n")
        lines += section(operator)
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the page with its generated part as it has to be."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + operators() + END + after


if __name__ == "__main__":
    PAGE.write_text(page())
