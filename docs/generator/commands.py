"""`docs/commands.md`: the command line."""

import inspect
from collections.abc import Iterator
from typing import get_args

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from typer.models import ArgumentInfo

from docs.generator import text
from docs.generator.text import first_line
from wellio import Wellio
from wellio.cli import commands
from wellio.cli.commands import operations_of

_INTRODUCTION = """\
Every command takes `--config FILE` and `--data DIR` (`./data` by default) and prints one JSON object with `--json`. While a server runs on the data folder, commands that need the data go to it over `data/control.sock`; else they take the folder's lock. `migrate` refuses while a server runs. The exit code is 0, 1 when the command failed, 2 when it was called wrongly. `plugin new` needs neither settings nor data."""  # noqa: E501 - a paragraph is a line

_COMMON = {"config", "data", "json"}


def page(app: Wellio) -> str:
    """Return the page."""
    rows = sorted([*_core(), *_operations(app)])
    return text.page("Commands", _INTRODUCTION, text.table(("Command", "", "Options"), rows))


def _core() -> Iterator[tuple[str, str, str]]:
    program = typer.Typer()
    commands.add_to(program)
    found = [("", command) for command in program.registered_commands]
    for group in program.registered_groups:
        if group.typer_instance is not None:
            found += [(f"{group.name} ", it) for it in group.typer_instance.registered_commands]
    for prefix, command in found:
        if command.callback is not None:
            name = command.name or command.callback.__name__
            options = inspect.signature(command.callback).parameters
            own = [_core_option(it) for name, it in options.items() if name not in _COMMON]
            yield f"`wellio {prefix}{name}`", first_line(command.callback), ", ".join(own)


def _core_option(parameter: inspect.Parameter) -> str:
    _, info = get_args(parameter.annotation)
    if isinstance(info, ArgumentInfo):
        return f"`{parameter.name.upper()}`"
    return _option(parameter.name)


def _operations(app: Wellio) -> Iterator[tuple[str, str, str]]:
    for operation in operations_of(app.plugins).values():
        options = [_flag(*field) for field in operation.arguments.model_fields.items()]
        yield f"`wellio {operation.name}`", operation.summary, " ".join(options)


def _flag(name: str, field: FieldInfo) -> str:
    option = _option(f"{name}_stdin" if field.annotation is SecretStr else name)
    return f"{option}: {field.description}" if field.description else option


def _option(name: str) -> str:
    return f"`--{name.replace('_', '-')}`"
