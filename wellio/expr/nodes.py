"""The types of expressions, and the checked tree that is evaluated or compiled to SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

if TYPE_CHECKING:
    from .operator import Operator

Type = Literal["number", "text", "bool", "instant", "texts"]
Value = float | str | bool | int | tuple[str, ...] | None
"""What an expression gives: a number is a `float`, an instant an `int`, null is None."""

LARGEST: Final = 2.0**53
"""The largest number that a literal or a field holds; see `scale` for what is computed of them."""
SMALLEST: Final = 2.0**-53
"""What is closer to zero is zero in a field, and no literal."""

#: The scale of a field: the last binary place of a double as small as SMALLEST.
_FIELD_SCALE: Final = 105


@dataclass(frozen=True, slots=True)
class ExpressionField:
    """A field that expressions may name.

    Attributes:
        type: What it holds.
        column: Its SQL: a column, or a scalar query in parentheses. It may stand several times in
            a statement. Of `texts` it is a query of one column without nulls, such as
            `SELECT value FROM {json_texts}(c.labels)`. Empty where nothing is compiled to SQL.
        params: The parameters that `column` names, other than the names of any other field's.
    """

    type: Type
    column: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal. Null is of type None until what stands beside it says which null it is."""

    weight: ClassVar[int] = 1
    levels: ClassVar[int] = 1

    value: Value
    type: Type | None

    @property
    def scale(self) -> int:
        """Return the smallest scale that holds the literal."""
        if self.type != "number" or not isinstance(self.value, float):
            return 0
        numerator, denominator = self.value.as_integer_ratio()
        return max(numerator.bit_length(), denominator.bit_length())


@dataclass(frozen=True, slots=True)
class Read:
    """A reference to a field of the schema."""

    weight: ClassVar[int] = 1
    levels: ClassVar[int] = 1

    name: str
    field: ExpressionField

    @property
    def type(self) -> Type:
        """Return the field's type."""
        return self.field.type

    @property
    def scale(self) -> int:
        """Return the scale of whatever the field may hold."""
        return _FIELD_SCALE if self.type == "number" else 0


@dataclass(frozen=True, slots=True)
class Now:
    """The instant of the evaluation."""

    type: ClassVar[Type] = "instant"
    scale: ClassVar[int] = 0
    weight: ClassVar[int] = 1
    levels: ClassVar[int] = 1


@dataclass(frozen=True, slots=True)
class Call:
    """An operator and what it is applied to.

    Attributes:
        operator: Says what is done.
        operands: To what; an option such as `minAnswered` is among them, as a literal.
        type: Of what comes out.
        scale: A number that comes out is zero or a multiple of 2**-scale, and 2**scale at most.
            Below MAX_SCALE no step of the arithmetic can leave the range of doubles, where Python
            answers infinity, SQLite null and Postgres with an error.
        weight: How many nodes the SQL has, counting those that stand in it several times.
        levels: How deep it nests; a score counts twice (`Operator.levels`).
    """

    operator: "Operator"
    operands: tuple["Node", ...]
    type: Type
    scale: int
    weight: int
    levels: int


Node = Constant | Read | Now | Call

#: What the check lets through, in the terms of `Call`.
MAX_SCALE: Final = 1000
MAX_WEIGHT: Final = 2000
MAX_DEPTH: Final = 10
