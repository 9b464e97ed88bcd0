"""What a command prints: one JSON object for programs, or tables for people."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from wellio.errors import Problem, WellioError

#: Columns of a terminal on which any table has room: what one needs is measured there.
_UNBOUNDED = 10_000


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a command's result: members that hold a list become tables, others lines.

    Rows stand one below the other where a table would break their texts: one of several lines, or
    more than fits beside the others.
    """
    if as_json:
        sys.stdout.write(orjson.dumps(result).decode() + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, emoji=False)  # a result is only text
    unbounded = console.options.update(width=_UNBOUNDED)
    for key, value in result.items():
        if not (isinstance(value, list) and value and isinstance(value[0], Mapping)):
            console.print(f"{key}: {_text(value)}", soft_wrap=True)
            continue
        table = Table(*value[0], title=key, title_justify="left")
        for row in value:
            table.add_row(*(_text(cell) for cell in row.values()))
        if (
            not _holds_text(value)
            and console.measure(table, options=unbounded).minimum <= console.width
        ):
            console.print(table)
            continue
        for row in value:
            lines = [f"{name}: {_text(cell).strip()}" for name, cell in row.items()]
            console.print(*lines, "", sep="\n", soft_wrap=True)


def _holds_text(rows: Sequence[Mapping[str, Any]]) -> bool:
    return any("\n" in str(cell) for row in rows for cell in row.values())


def explain(error: WellioError) -> str:
    """Return an error in one line or, for several wrong fields, in one line each."""
    if isinstance(error, Problem) and error.errors:
        return "\n".join(
            f"{field.pointer.strip('/')} {field.message}".strip() for field in error.errors
        )
    return str(error)


def _text(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(_text(item) for item in value) or "-"
    return str(value)
