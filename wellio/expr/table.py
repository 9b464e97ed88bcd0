"""All operators, in the order of the documentation."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from . import arithmetic, comparison, date, logic, score, text
from .operator import Operator

OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType(
    {
        operator.name: operator
        for room in (comparison, logic, arithmetic, text, score, date)
        for operator in room.OPERATORS
    }
)
