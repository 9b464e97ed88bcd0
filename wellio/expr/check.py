"""Finds the type of each part of an expression that was read, or what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence

from .form import Fault, Form, Leaf, Location, Operation, Reference
from .nodes import (
    MAX_DEPTH,
    MAX_SCALE,
    MAX_WEIGHT,
    Call,
    Constant,
    ExpressionField,
    Node,
    Read,
    Type,
)
from .operator import SCALARS, Group

#: A part that is right in itself, and where it stands.
Operand = tuple[Location, Node]


class Checker:
    """Checks one expression against a schema.

    Attributes:
        faults: What is wrong so far.
    """

    def __init__(self, schema: Mapping[str, ExpressionField]) -> None:
        self.faults: list[Fault] = []
        self._schema = schema

    def check(self, form: Form | None, returns: Type | None) -> Node | None:
        """Return the typed tree of a whole expression; None if something in it is wrong."""
        root = self._node(form)
        if root is None:
            return None
        fitting = self._fitting([((), root)], Group((returns,) if returns else SCALARS))
        return fitting[0] if fitting else None

    def _refuse(self, at: Location, code: str, message: str) -> None:
        self.faults.append(Fault(at, code, message))

    def _node(self, form: Form | None) -> Node | None:
        match form:
            case Leaf():
                return form.node
            case Reference():
                return self._field(form)
            case Operation():
                return self._call(form)
        return None

    def _field(self, reference: Reference) -> Node | None:
        field = self._schema.get(reference.name)
        if field is None:
            self._refuse((*reference.at, "field"), "unknown_field", "is no field here")
            return None
        return Read(reference.name, field)

    def _call(self, form: Operation) -> Node | None:
        args = [self._node(arg) for arg in form.args]
        places = [(*form.at, "args", index) for index in range(len(args))]
        operands: list[Node] = []
        last: list[Node] = []
        for group, start, end in _spans(form.operator.takes, len(args)):
            pairs = zip(places[start:end], args[start:end], strict=True)
            last = self._fitting([(at, node) for at, node in pairs if node is not None], group)
            operands += last
        type_ = form.operator.gives or (last[0].type if last else None)
        if len(operands) < len(args) or type_ is None:
            return None
        return self._weighed(form, [*form.before, *operands, *form.behind], type_)

    def _weighed(self, form: Operation, operands: Sequence[Node], type_: Type) -> Node | None:
        scale = form.operator.scale([node.scale for node in operands])
        weight = 1 + form.operator.repeats * sum(node.weight for node in operands)
        levels = form.operator.levels + max(node.levels for node in operands)
        if scale > MAX_SCALE:
            self._refuse(
                form.at, "number_range", "must multiply and divide less: numbers could overflow"
            )
        elif weight > MAX_WEIGHT:
            self._refuse(form.at, "too_large", "must nest scores less, or have fewer operands")
        elif levels > MAX_DEPTH:
            self._refuse(
                form.at, "too_deep", f"must nest {MAX_DEPTH} levels at most; a score counts twice"
            )
        else:
            return Call(form.operator, tuple(operands), type_, scale, weight, levels)
        return None

    def _fitting(self, operands: Sequence[Operand], group: Group) -> list[Node]:
        """Return the operands of a group that have one of its types, with null typed as they."""
        known = [node.type for _, node in operands if node.type in group.types]
        types = known[:1] if known and group.is_alike else group.types
        fitting: list[Node] = []
        for at, node in operands:
            if node.type in types:
                fitting.append(node)
            elif node.type is not None:
                wanted = " or ".join(filter(None, types))
                self._refuse(at, "wrong_type", f"must be {wanted}, not {node.type}")
            elif len(types) == 1 or not group.is_alike:
                fitting.append(Constant(None, types[0]))
            else:
                self._refuse(at, "untyped", "must stand beside something that is not null")
        return fitting


def _spans(groups: Sequence[Group], count: int) -> Iterator[tuple[Group, int, int]]:
    """Return each group with the range of its operands; the last takes all that are left."""
    start = 0
    for group in groups[:-1]:
        yield group, start, start + group.most
        start += group.most
    yield groups[-1], start, count
