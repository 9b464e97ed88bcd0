"""Puts the program together: the core's commands, and each operation as a command with options."""

import inspect
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NoReturn, get_args, get_origin

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from wellio.errors import Invalid, NoPractice, WellioError

from . import commands
from .operations import ARGUMENT, NAMES, Operation
from .output import explain, show

_HELP = "A coaching practice in one process. `wellio serve` starts it."


def run(argv: Sequence[str] | None = None) -> NoReturn:
    """Run a command line, the process's own by default, and exit.

    The exit code is 0, 1 when the command failed (one line on standard error says why), or 2 when
    it was called wrongly.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        _program(arguments)(arguments, prog_name="wellio")
    except (Invalid, NoPractice) as error:
        _exit(error, 2)
    except WellioError as error:
        _exit(error, 1)
    except OSError as error:  # of the system, and not of this program: no traceback helps
        where = f"{error.filename}: " if error.filename else ""
        _exit(WellioError(f"{where}{error.strerror or type(error).__name__}"), 1)
    sys.exit(0)


def _exit(error: WellioError, code: int) -> NoReturn:
    sys.stderr.write(f"wellio: {explain(error)}\n")
    sys.exit(code)


def _program(argv: Sequence[str]) -> typer.Typer:
    program = typer.Typer(
        help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    commands.add_to(program)
    command = next((word for word in argv if not word.startswith("-")), None)
    if command not in NAMES:
        _add_operations(program, argv, is_help=command is None)
    return program


def _add_operations(program: typer.Typer, argv: Sequence[str], *, is_help: bool) -> None:
    """Add what needs the plugins; a list of the commands does without them when they are broken."""
    groups = {"": program}
    try:
        operations = commands.operations(commands.settings(_option(argv, "--config")))
    except WellioError:
        if not is_help:
            raise
        return
    words: dict[str, list[str]] = {}
    for name in operations:
        group, _, word = name.rpartition(" ")
        words.setdefault(group, []).append(word)
    for operation in operations.values():
        group, _, word = operation.name.rpartition(" ")
        if group not in groups:
            summary = f"Commands: {', '.join(sorted(words[group]))}."
            groups[group] = typer.Typer(no_args_is_help=True, help=summary)
            program.add_typer(groups[group], name=group)
        groups[group].command(word, help=operation.summary)(_command(operation))


def _option(argv: Sequence[str], name: str) -> Path | None:
    """Find an option before the program that would parse it is complete."""
    for word, following in pairwise(argv):
        if word == name:
            return Path(following)
    for word in argv:
        if word.startswith(f"{name}="):
            return Path(word.partition("=")[2])
    return None


def _command(operation: Operation) -> Callable[..., None]:
    """Return the function that typer makes a command of: one parameter for each argument."""
    fields = operation.arguments.model_fields

    def command(
        config: commands.ConfigFile = None,
        data: commands.DataFolder = None,
        json: commands.Json = False,
        new: bool = False,
        **given: Any,
    ) -> None:
        raw = {
            name: _read_secret(name) if _is_secret(fields[name]) else value
            for name, value in given.items()
            if value is not None and value is not False
        }
        operation.check(raw)
        result = commands.perform(commands.settings(config, data), operation, raw, is_new=new)
        show(result, as_json=json)
        if operation.has_failed(result):
            raise typer.Exit(1)

    *common, new, _ = inspect.signature(command).parameters.values()
    parameters = [*(_parameter(name, field) for name, field in fields.items()), *common]
    if operation.may_begin:
        option = typer.Option("--new", help="Make a practice, where there is none yet.")
        parameters.append(new.replace(annotation=Annotated[bool, option]))
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect reads
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    option = f"--{name.replace('_', '-')}"
    kind: Any = str | None
    default: Any = None
    if _is_secret(field):
        option, kind, default = f"{option}-stdin", bool, False
    elif field.annotation is bool:
        kind, default = bool, False
    elif get_origin(field.annotation) in {list, tuple}:
        kind = list[str] | None
    if ARGUMENT in field.metadata:
        argument = typer.Argument(help=field.description, show_default=False)
        return inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[str, argument]
        )
    if field.is_required():
        kind, default = (kind if kind is bool else str), inspect.Parameter.empty
    info = typer.Option(option, help=field.description, show_default=False)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info]
    )


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in {field.annotation, *get_args(field.annotation)}


def _read_secret(name: str) -> str:
    """Read a secret without showing it: typed on a terminal, else all of standard input."""
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass(f"{name}: ")
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")
