"""Evaluates a checked tree in Python."""

from collections.abc import Mapping
from typing import Any

from .nodes import LARGEST, SMALLEST, Call, Constant, Node, Now, Read, Value


def evaluate(node: Node, values: Mapping[str, Any], now: int) -> Value:
    """Return what a tree gives; see `Expression.evaluate`."""
    match node:
        case Constant():
            return node.value
        case Read():
            return _read(node, values.get(node.name))
        case Now():
            return now
        case Call():
            operands = [evaluate(operand, values, now) for operand in node.operands]
            if node.operator.is_strict and None in operands:
                return None
            return node.operator.python(*operands)


def _read(node: Read, value: Any) -> Value:
    """Return a field's value as its column would give it."""
    result: Value
    match node.field.type, value:
        case "texts", None:
            result = ()
        case "texts", list() | tuple() | set() | frozenset():
            result = tuple(value)
        case _, None:
            result = None
        case ("text", str()) | ("bool", bool()):
            result = value
        case "bool", 0 | 1:  # as a row of SQLite has it
            result = value == 1
        case "instant", int() if not isinstance(value, bool):
            result = value
        case "number", int() | float() if not isinstance(value, bool):
            result = _number(value)
        case _:
            raise TypeError(f"the value of the field {node.name} is no {node.field.type}")
    return result


def _number(value: float) -> float | None:
    """Return a stored number as the SQL of a field reads it."""
    try:
        number = float(value)
    except OverflowError:
        return None
    if not abs(number) <= LARGEST:  # nor is NaN
        return None
    return number if abs(number) >= SMALLEST else 0.0
