"""What a command prints: one JSON object for programs, or tables for people."""

import sys
from collections.abc import Mapping
from typing import Any

import orjson

from wellio.errors import Problem, WellioError


def show(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a command's result: members that hold a list become tables, others lines.

    Rows with a text of several lines stand one below the other: a table would break it.
    """
    if as_json:
        sys.stdout.write(orjson.dumps(result).decode() + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, emoji=False)  # a result is only text
    for key, value in result.items():
        if _holds_text(value):
            for row in value:
                lines = [f"{name}: {_text(cell).strip()}" for name, cell in row.items()]
                console.print(*lines, "", sep="\n", soft_wrap=True)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            table = Table(*value[0], title=key, title_justify="left")
            for row in value:
                table.add_row(*(_text(cell) for cell in row.values()))
            console.print(table)
        else:
            console.print(f"{key}: {_text(value)}")


def _holds_text(value: Any) -> bool:
    return isinstance(value, list) and any(
        isinstance(row, Mapping) and any("\n" in str(cell) for cell in row.values())
        for row in value
    )


def explain(error: WellioError) -> str:
    """Return an error in one line or, for several wrong fields, in one line each."""
    if isinstance(error, Problem) and error.errors:
        return "\n".join(f"{field.pointer.strip('/')}: {field.message}" for field in error.errors)
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
