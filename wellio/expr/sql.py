"""Writes a checked tree as SQL that both engines understand: values are parameters, always."""

from typing import Any, Final

from wellio.access.policy import Fragment

from .nodes import LARGEST, Call, Constant, Node, Now, Read, Type, Value

#: A literal of each type. Text is compared byte by byte, whatever the collation of its column.
_LITERALS: Final[dict[Type | None, str]] = {
    "number": "CAST({} AS {{float}})",
    "text": "(CAST({} AS TEXT) {{bytewise}})",
    "bool": "CAST({} AS {{bool}})",
    "instant": "CAST({} AS {{int}})",
}


class SqlWriter:
    """Writes one fragment."""

    def __init__(self, prefix: str, now: int) -> None:
        self._prefix = prefix
        self._now = now
        self._params: dict[str, Any] = {}
        self._literals = 0

    def fragment(self, node: Node) -> Fragment:
        """Write a whole tree; see `Expression.to_sql`."""
        return Fragment(self._sql(node), self._params)

    def _sql(self, node: Node) -> str:
        match node:
            case Constant():
                return self._literal(node.value, node.type)
            case Now():
                return self._literal(self._now, "instant")
            case Read():
                return self._column(node)
            case Call():
                return node.operator.sql(*map(self._sql, node.operands))

    def _literal(self, value: Value, type_: Type | None) -> str:
        name = f"{self._prefix}_{self._literals}"
        self._literals += 1
        self._bind(name, value)
        return _LITERALS[type_].format(f":{name}")

    def _bind(self, name: str, value: Any) -> None:
        if self._params.setdefault(name, value) != value:
            raise ValueError(f"the parameter {name} has two values")

    def _column(self, node: Read) -> str:
        field = node.field
        if not field.column:
            raise ValueError(f"the field {node.name} has no column")
        for name, value in field.params.items():
            self._bind(name, value)
        match field.type:
            case "number":
                return _number(f"CAST({field.column} AS {{float}})")
            case "text":
                return f"({field.column} {{bytewise}})"
            case _:
                return field.column


def _number(column: str) -> str:
    """Write a field so that it holds no more than arithmetic can take; see `Call.scale`."""
    return (
        f"CASE WHEN abs({column}) > {LARGEST:.0f} THEN NULL "
        f"WHEN abs({column}) * {LARGEST:.0f} < 1 THEN 0.0 ELSE {column} END"
    )
