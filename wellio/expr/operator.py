"""What an operator is: its operands, its meaning in Python and in SQL, and its documentation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from .nodes import Type, Value

MANY: Final = 100
"""The most operands of an operator: engines take hardly more arguments to a function."""

SCALARS: Final[tuple[Type, ...]] = ("number", "text", "bool", "instant")
ORDERED: Final[tuple[Type, ...]] = ("number", "text", "instant")


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring operands of one kind. If several types are allowed, all of them have the same.

    Attributes:
        types: The types allowed.
        least: How many operands there are at least.
        most: And at most.
        is_alike: Whether all have one type; False where each is looked at by itself.
    """

    types: tuple[Type, ...]
    least: int = 1
    most: int = 1
    is_alike: bool = True


def no_scale(_scales: Sequence[int]) -> int:
    """Return the scale of what is no number."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One meaning, written twice: what `python` and `sql` say is held to be the same by tests.

    Attributes:
        name: Its `op`.
        summary: What it gives, for the documentation.
        takes: Its operands, group by group; only the last group may vary in number.
        gives: The type of what comes out; None for that of its last group.
        python: Computes it of the operands' values.
        sql: Writes it of the operands' SQL, in tokens that both engines understand.
        nulls: What null does to it, for the documentation.
        is_strict: Whether any null operand makes the result null. Then `python` never sees one,
            and SQL's own rule has to be the same.
        scale: Returns the scale of the result of the operands' scales; see `Call.scale`.
        repeats: How often an operand stands in the SQL.
        levels: How many of the MAX_DEPTH levels it takes, by the clauses that its SQL opens:
            SQLite's parser has room for a hundred.
        option: A member beside `args`. It comes as literal operands: `minAnswered` as a number
            in front, `bands` as pairs of a number and a text behind.
        example: A form, over the fields of the documentation's example.
        result: What it gives there.
    """

    name: str
    summary: str
    takes: tuple[Group, ...]
    gives: Type | None
    python: Callable[..., Value]
    sql: Callable[..., str]
    nulls: str = "Null if an operand is null."
    is_strict: bool = True
    scale: Callable[[Sequence[int]], int] = no_scale
    repeats: int = 1
    levels: int = 1
    option: Literal["minAnswered", "bands"] | None = None
    example: Any
    result: Value

    @property
    def least(self) -> int:
        """Return how many `args` it has at least."""
        return sum(group.least for group in self.takes)

    @property
    def most(self) -> int:
        """Return how many `args` it has at most."""
        return sum(group.most for group in self.takes)


def infix(symbol: str) -> Callable[..., str]:
    """Return what writes SQL with a symbol between the operands."""
    return lambda *operands: f"({f' {symbol} '.join(operands)})"
