"""Reads the JSON of an expression into a `Form`: its shape, without looking at fields and types."""

import math
from collections.abc import Callable, Sequence, Set
from typing import Any, Final, TypeVar

from .form import Fault, Form, Leaf, Location, Operation, Reference
from .literal import instant, literal, number, text
from .nodes import MAX_DEPTH, Constant
from .operator import MANY, Operator
from .table import OPERATORS

Part = TypeVar("Part")

MAX_NODES: Final = 500


class Reader:
    """Reads one expression, and collects all that is wrong with it.

    Attributes:
        faults: What is wrong so far.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._nodes = 0

    def read(self, data: Any, at: Location = ()) -> Form | None:
        """Read a part of the expression; None if it is wrong."""
        self._nodes += 1
        if self._nodes > MAX_NODES + 1:
            return None  # it was said once
        return self._try(self._form, data, at)

    def _try(self, read: Callable[[Any, Location], Part], data: Any, at: Location) -> Part | None:
        try:
            return read(data, at)
        except Fault as fault:
            self.faults.append(fault)
            return None

    def _form(self, data: Any, at: Location) -> Form:
        if self._nodes > MAX_NODES:
            raise Fault((), "too_large", f"must have {MAX_NODES} parts at most")
        if len(at) >= 2 * MAX_DEPTH:
            raise Fault(at, "too_deep", f"must nest {MAX_DEPTH} levels at most")
        match data:
            case {"op": name}:
                return self._operation(name, data, at)
            case {"field": name}:
                self._expect(data, at, {"field"})
                return Reference(at, text(name, (*at, "field")))
            case {"instant": value}:
                self._expect(data, at, {"instant"})
                return Leaf(at, instant(value, (*at, "instant")))
            case None | bool() | str() | int() | float():
                return Leaf(at, literal(data, at))
        raise Fault(at, "wrong_form", "must be a literal, or have a member op, field or instant")

    def _expect(self, data: dict[str, Any], at: Location, names: Set[str | None]) -> None:
        """Note members that do not belong there."""
        for name in data:
            if name not in names:
                self.faults.append(Fault((*at, name), "extra_forbidden", "is no member of this"))

    def _operation(self, name: Any, data: dict[str, Any], at: Location) -> Operation:
        operator = OPERATORS.get(name) if isinstance(name, str) else None
        if operator is None:
            raise Fault((*at, "op"), "unknown_operator", "must be the name of an operator")
        option = operator.option
        absent = {name for name in ("minAnswered", "bands") if data.get(name) is None}
        self._expect(data, at, {"op", "args", option, *absent})
        args = self._args(data.get("args"), (*at, "args"), operator)
        before: Sequence[Constant] = ()
        behind: Sequence[Constant] = ()
        if option == "minAnswered":
            before = (_least(data.get(option), (*at, option), len(args)),)
        elif option == "bands":
            behind = self._bands(data.get(option), (*at, option))
        return Operation(at, operator, args, tuple(before), tuple(behind))

    def _args(self, args: Any, at: Location, operator: Operator) -> tuple[Form | None, ...]:
        if args is None:
            raise Fault(at, "missing", "is missing")
        if not isinstance(args, list):
            raise Fault(at, "wrong_form", "must be a list of operands")
        least, most = operator.least, operator.most
        if not least <= len(args) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise Fault(at, "wrong_count", f"must have {wanted} operands")
        return tuple(self.read(arg, (*at, index)) for index, arg in enumerate(args))

    def _bands(self, bands: Any, at: Location) -> list[Constant]:
        if bands is None:
            raise Fault(at, "missing", "is missing")
        if not isinstance(bands, list) or not 1 <= len(bands) <= MANY:
            raise Fault(at, "wrong_form", f"must be a list of 1 to {MANY} bands")
        pairs: list[Constant] = []
        highest = -math.inf
        for index, band in enumerate(bands):
            place = (*at, index)
            if not isinstance(band, dict):
                raise Fault(place, "wrong_form", "must have the members from and label")
            self._expect(band, place, {"from", "label"})
            start = self._try(number, band.get("from"), (*place, "from"))
            label = self._try(text, band.get("label"), (*place, "label"))
            if start is not None and start <= highest:
                raise Fault((*place, "from"), "wrong_order", "must be above the one before")
            highest = highest if start is None else start
            pairs += Constant(start, "number"), Constant(label, "text")
        return pairs


def _least(least: Any, at: Location, count: int) -> Constant:
    if least is None:
        least = count
    if type(least) is not int or not 1 <= least <= count:
        raise Fault(at, "bad_number", "must be a whole number, from 1 to that of the operands")
    return Constant(float(least), "number")
