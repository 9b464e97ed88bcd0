"""The face of expressions: check one, evaluate it, or compile it to SQL."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from wellio.access.policy import Fragment
from wellio.errors import FieldError, Invalid, pointer_to

from .check import Checker
from .evaluate import evaluate
from .nodes import Call, ExpressionField, Node, Read, Type, Value
from .reader import Reader
from .sql import SqlWriter

_PREFIX: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was checked against a schema, and so never fails on data.

    Attributes:
        type: The type of what it gives.
        root: Its tree.
    """

    type: Type
    root: Node

    @classmethod
    def check(
        cls,
        form: Any,
        schema: Mapping[str, ExpressionField],
        *,
        returns: Type | None = None,
        pointer: str = "",
    ) -> Self:
        """Read and check an expression.

        Args:
            form: Its JSON, parsed.
            schema: The fields that it may name.
            returns: The type that it has to give; None for any but a list.
            pointer: Where it stands in the request, for the errors.

        Raises:
            Invalid: It names everything that is wrong.
        """
        reader, checker = Reader(), Checker(schema)
        root = checker.check(reader.read(form), returns)
        faults = [*reader.faults, *checker.faults]
        if root is None or root.type is None or faults:
            raise Invalid(
                "The expression is wrong.",
                errors=[
                    FieldError(pointer + pointer_to(fault.at), fault.code, fault.message)
                    for fault in faults
                ],
            )
        return cls(root.type, root)

    @property
    def fields(self) -> frozenset[str]:
        """Return the names of the fields that it reads."""
        return frozenset(_fields(self.root))

    def evaluate(self, values: Mapping[str, Any], *, now: int) -> Value:
        """Compute it.

        Args:
            values: The fields' values by name: numbers as `int` or `float`, instants as
                milliseconds UTC, lists of texts as any collection. What is missing or None is null.
            now: The present instant, in milliseconds UTC.

        Returns:
            A `float`, `str`, `bool`, an `int` for an instant, or None for null. A condition holds
            only if this is True: null is not.

        Raises:
            TypeError: A value is not of its field's type; the message names the field.
        """
        value = evaluate(self.root, values, now)
        return value + 0.0 if isinstance(value, float) else value  # no negative zero

    def to_sql(self, *, now: int, prefix: str = "expr") -> Fragment:
        """Write it as SQL over the columns of its fields, with the same result.

        Args:
            now: The present instant, in milliseconds UTC.
            prefix: What its parameters' names begin with: another for each expression of one
                statement.

        Returns:
            SQL for any place that takes a value, or a condition. On SQLite a bool is 0 or 1.

        Raises:
            ValueError: A field has no column, or parameters clash.
        """
        if not _PREFIX.fullmatch(prefix):
            raise ValueError("a prefix has lower-case letters, digits and underscores")
        return SqlWriter(prefix, now).fragment(self.root)


def _fields(node: Node) -> Iterator[str]:
    match node:
        case Read():
            yield node.name
        case Call():
            for operand in node.operands:
                yield from _fields(operand)
