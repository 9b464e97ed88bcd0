"""Operations: what an administrator does with a practice's data, from the command line.

One function does the work in both places where it can run: inside the server, when one runs on the
data folder (`control.py`), and otherwise in the command's own process. So a plugin writes neither
option parsing nor a protocol:

    class NewUser(BaseModel):
        email: Email
        password: SecretStr           # becomes --password-stdin

    async def create(app: Wellio, new: NewUser) -> dict[str, Any]:
        \"\"\"Make an account.\"\"\"      # becomes the help

    @hookimpl
    def register_commands(cli: Cli) -> None:
        cli.operation("user create", create, arguments=NewUser)
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from wellio.errors import Invalid, PluginError
from wellio.field_errors import invalid_from_pydantic
from wellio.strict.misfits import misfits
from wellio.strict.texts import Written, table_json

if TYPE_CHECKING:
    from wellio.boot.app import Wellio
    from wellio.boot.plugins import Plugins

ARGUMENT: Final = object()
"""Marks a field that is typed without a name: `email: Annotated[Email, ARGUMENT]`."""

ArgumentsT = TypeVar("ArgumentsT", bound=BaseModel)
Run = Callable[["Wellio", ArgumentsT], Awaitable[Mapping[str, Any]]]

Verdict = Callable[[Mapping[str, Any]], bool]


#: The commands that are there without the plugins; `config check` is one of `config`.
NAMES = ("serve", "seed", "health", "migrate", "config", "openapi", "plugin")
_NAME = re.compile(r"[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)?")


def _written(value: Any) -> Any:
    if isinstance(value, list):
        return [_written(item) for item in value]
    return Written(value) if isinstance(value, str) else value


def _never(_: Mapping[str, Any]) -> bool:
    return False


class NoArguments(BaseModel, extra="forbid"):
    """The arguments of an operation that takes none."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A command that works on the data.

    Attributes:
        name: The command's words, such as `user create`.
        run: Does it, and returns what the command prints, JSON-ready.
        arguments: Each field is an option, or an argument if it is marked `ARGUMENT`; a SecretStr
            is read from standard input.
        has_failed: Whether a result makes the command's exit code 1, although it is printed.
        may_begin: Whether the command has `--new`, with which it makes a practice where none is.
    """

    name: str
    run: Run[Any]
    arguments: type[BaseModel]
    has_failed: Verdict = _never
    may_begin: bool = False

    @property
    def summary(self) -> str:
        """Return the first line of the function's docstring: the command's help."""
        return (inspect.getdoc(self.run) or "").partition("\n")[0]

    def check(self, raw: Mapping[str, Any]) -> BaseModel:
        """Return the arguments, given by the names of the model's fields.

        Raises:
            Invalid: Some are wrong; all of them are named.
        """
        if wrong := list(misfits(raw)):
            raise Invalid("Some fields are wrong.", errors=wrong)
        written = {name: _written(value) for name, value in raw.items()}
        try:
            return self.arguments.model_validate_json(
                table_json(self.arguments, written), strict=True, by_name=True
            )
        except ValidationError as error:
            raise invalid_from_pydantic(error) from None


class Cli:
    """The commands that `register_commands` adds to."""

    def __init__(self) -> None:
        self.operations: dict[str, Operation] = {}

    def operation(
        self,
        name: str,
        run: Run[ArgumentsT],
        *,
        arguments: type[ArgumentsT],
        has_failed: Verdict = _never,
        may_begin: bool = False,
    ) -> None:
        """Add a command.

        Args:
            name: One or two words, such as `outbox` or `user create`.
            run: The function; its docstring's first line is the command's help.
            arguments: The model of its options; `NoArguments` when there are none.
            has_failed: Tells by the result whether the exit code is 1, as when a check finds
                something.
            may_begin: Whether `--new` has it make a practice where there is none; every other
                command says so and ends.

        Raises:
            PluginError: There is a command of this name.
        """
        if not _NAME.fullmatch(name):
            raise PluginError(f"a command cannot be called {name!r}")
        if name in self.operations or name.partition(" ")[0] in NAMES:
            raise PluginError(f"two commands are called {name}")
        self.operations[name] = Operation(name, run, arguments, has_failed, may_begin)


def operations_of(plugins: "Plugins") -> Mapping[str, Operation]:
    """Return the operations of the core and of an app's plugins.

    Raises:
        BrokenPluginError: A plugin's cannot be added.
    """
    from . import core

    cli = Cli()
    core.register_commands(cli)
    plugins.ask("register_commands", cli=cli)
    return cli.operations
