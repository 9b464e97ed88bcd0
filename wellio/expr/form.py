"""The JSON form of an expression, read but not yet checked, and what may be wrong with it.

form      = literal | {"field": name} | {"instant": RFC 3339 or "now"} | operation
literal   = number | text | true | false | null
operation = {"op": name, "args": [form, ...], "minAnswered": n, "bands": [band, ...]}
band      = {"from": number, "label": text}
"""

from dataclasses import dataclass

from .nodes import Constant, Now
from .operator import Operator

Location = tuple[str | int, ...]
"""The keys on the way from the whole expression to a part of it."""


class Fault(Exception):
    """Something wrong with an expression.

    Attributes:
        at: Where.
        code: What, for programs.
        message: The same for people; it never holds what was sent.
    """

    def __init__(self, at: Location, code: str, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Leaf:
    """A literal, or the present instant."""

    at: Location
    node: Constant | Now


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of a field."""

    at: Location
    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with its operands.

    Attributes:
        at: Where it stands.
        operator: Which.
        args: What stands in `args`; None for one that is wrong in itself.
        before: Literals that go before them: how many answers are needed.
        behind: Literals that go behind them: the bands.
    """

    at: Location
    operator: Operator
    args: tuple["Form | None", ...]
    before: tuple[Constant, ...]
    behind: tuple[Constant, ...]


Form = Leaf | Reference | Operation
