"""`docs/commands.md`: the command line."""

from collections.abc import Iterator
from typing import Any

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from typer.core import TyperArgument, TyperCommand, TyperGroup

from docs.generator import text
from docs.generator.text import first_line
from wellio import ARGUMENT, Wellio
from wellio.cli import commands
from wellio.cli.operations import operations_of

_INTRODUCTION = """\
Every command takes `--config FILE` and `--data DIR` (`./data` by default) and, when it succeeds, prints one JSON object with `--json`; why it does not is a sentence on standard error. While a server runs on the data folder, commands that need the data go to it over `data/control.sock`; else they take the folder's lock. `migrate` refuses while a server runs. The exit code is 0, 1 when the command failed, 2 when it was called wrongly. `plugin new` needs neither settings nor data."""  # noqa: E501 - a paragraph is a line

_COMMON = {"config", "data", "json"}


def page(app: Wellio) -> str:
    """Return the page."""
    rows = sorted([*_core(), *_operations(app)])
    return text.page("Commands", _INTRODUCTION, text.table(("Command", "", "Options"), rows))


def _core() -> Iterator[tuple[str, str, str]]:
    program = typer.Typer()
    commands.add_to(program)
    for name, command in _leaves(typer.main.get_command(program)):
        own = [
            # Of an option, what is typed: its parameter may have another name.
            f"`{it.opts[0].upper() if isinstance(it, TyperArgument) else it.opts[0]}`"
            for it in command.params
            if it.name not in _COMMON
        ]
        yield f"`wellio {name}`", first_line(command.callback or command), ", ".join(own)


def _leaves(command: Any, *names: str) -> Iterator[tuple[str, TyperCommand]]:
    """Return the commands below a command, each with the words that call it."""
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from _leaves(below, *names, name)
    else:
        yield " ".join(names), command


def _operations(app: Wellio) -> Iterator[tuple[str, str, str]]:
    for operation in operations_of(app.hooks.plugins).values():
        options = [_flag(*field) for field in operation.arguments.model_fields.items()]
        options += ["`--new`"] if operation.may_begin else []
        yield f"`wellio {operation.name}`", operation.summary, " ".join(options)


def _flag(name: str, field: FieldInfo) -> str:
    if ARGUMENT in field.metadata:
        return f"`{name.upper()}`"
    option = _option(f"{name}_stdin" if field.annotation is SecretStr else name)
    return f"{option}: {field.description}" if field.description else option


def _option(name: str) -> str:
    return f"`--{name.replace('_', '-')}`"
