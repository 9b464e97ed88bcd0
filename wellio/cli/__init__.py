"""The command line: `wellio serve`, `wellio user create`, and what plugins add.

Typer and everything behind a command are imported only when they are needed.
"""

from .operations import ARGUMENT, Cli, NoArguments, Operation

__all__ = ["ARGUMENT", "Cli", "NoArguments", "Operation", "main"]


def main() -> None:
    """Run the command that the process's arguments name, and exit."""
    from .program import run

    run()
