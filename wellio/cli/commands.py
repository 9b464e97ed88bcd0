"""The core's own commands, and how a command reaches the data.

Nothing heavy is imported before a command runs.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wellio.strict.exact import INTEGER_TEXT

from .operations import Operation, operations_of
from .output import show

if TYPE_CHECKING:
    from wellio.config.settings import Config


def whole_number(least: int, most: int) -> Callable[[int | str], int]:
    """Return what reads an option: a number as JSON writes it, so no `1_0` and no `+5`."""

    def number(text: int | str) -> int:
        if (
            len(str(text)) < 20
            and INTEGER_TEXT.fullmatch(str(text))
            and least <= (value := int(text)) <= most
        ):
            return value
        raise typer.BadParameter(f"must be a whole number from {least} to {most}")

    return number


ConfigFile = Annotated[
    Path | None, typer.Option(help="The settings; else config.toml, if there is one.")
]
DataFolder = Annotated[Path | None, typer.Option(help="The practice's folder; else ./data.")]
New = Annotated[
    bool, typer.Option("--new", help="Begin an empty practice, whatever the folder was used with.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]


def add_to(program: typer.Typer) -> None:
    """Add the core's commands."""
    settings_group = typer.Typer(no_args_is_help=True, help="The settings.")
    settings_group.command("check")(config_check)
    settings_group.command("template")(config_template)
    program.command()(serve)
    program.command()(seed)
    program.command()(health)
    program.command()(migrate)
    program.command()(openapi)
    program.add_typer(settings_group, name="config")
    plugin_group = typer.Typer(no_args_is_help=True, help="For people who write plugins.")
    plugin_group.command("new")(plugin_new)
    program.add_typer(plugin_group, name="plugin")


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[
        int | None,
        typer.Option(parser=whole_number(0, 65535), help="The port; 0 takes a free one."),
    ] = None,
    database_url: Annotated[str | None, typer.Option(help="postgresql://user@host/name")] = None,
    reload: Annotated[
        bool, typer.Option("--reload", help="Start anew when code or settings change.")
    ] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="In ./data-demo, a practice of two years, made up.")
    ] = False,
    new: New = False,
    config: ConfigFile = None,
    data: DataFolder = None,
    json: Json = False,
) -> None:
    """Start the server, and run until SIGTERM or Ctrl-C."""
    from .reload import supervise
    from .server import run

    if reload:
        raise typer.Exit(supervise(config))

    from wellio.demo.record import holds_demo
    from wellio.demo.settings import of_folder

    from .demo import before_serving, demo_settings

    given = {"server.host": host, "server.port": port, "database.url": database_url}
    found = demo_settings(config, data, given) if demo else of_folder(settings(config, data, given))
    is_demo = demo or holds_demo(found.data_dir)  # it says so to who forgot
    run(found, as_json=json, before=before_serving if is_demo else None, is_new=new)


def seed(
    demo: Annotated[
        bool, typer.Option("--demo", help="With people and two years of their life, made up.")
    ] = False,
    coaches: Annotated[
        int, typer.Option(parser=whole_number(0, 4), help="0 to 4, beside the owner.")
    ] = 4,
    clients: Annotated[int, typer.Option(parser=whole_number(1, 40), help="1 to 40.")] = 40,
    days: Annotated[
        int,
        typer.Option(parser=whole_number(14, 1500), help="How long ago it began: 14 to 1500."),
    ] = 730,
    number: Annotated[
        int,
        typer.Option(
            "--seed", parser=whole_number(0, 2**63 - 1), help="Another one, another life."
        ),
    ] = 1,
    database_url: Annotated[str | None, typer.Option(help="postgresql://user@host/name")] = None,
    config: ConfigFile = None,
    data: DataFolder = None,
    json: Json = False,
) -> None:
    """Fill an empty practice, in ./data-demo unless --data says where; needs --demo."""
    from wellio.demo import DemoSize

    from .demo import demo_settings
    from .demo import seed as fill

    if not demo:
        raise typer.BadParameter("say with what: wellio seed --demo")
    found = demo_settings(config, data, {"database.url": database_url})
    show(asyncio.run(fill(found, DemoSize(coaches, clients, days), number)), as_json=json)


def health(config: ConfigFile = None, data: DataFolder = None, json: Json = False) -> None:
    """Ask the running server how it is; the exit code says whether it works."""
    from .server import health as ask

    report = asyncio.run(ask(settings(config, data)))
    show(report if json else _as_tables(report), as_json=json)
    if report["status"] == "down":
        raise typer.Exit(1)


def _as_tables(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a health report with its parts as rows: a plugin's checks stand below the core's."""
    checks = [(name, part) for name, part in report["checks"].items()]
    for plugin, health in report["plugins"].items():
        checks += [(f"{plugin} {name}", part) for name, part in health["checks"].items()]
    return {
        "status": report["status"],
        "version": report["version"],
        "checks": [
            {"name": name, "status": part["status"], "reason": part.get("reason")}
            for name, part in checks
        ],
        "plugins": [
            {"name": name, "status": health["status"]} for name, health in report["plugins"].items()
        ],
    }


def migrate(
    new: New = False, config: ConfigFile = None, data: DataFolder = None, json: Json = False
) -> None:
    """Bring the database to this version's schema; refused while a server runs."""
    from .server import migrate as bring

    asyncio.run(bring(settings(config, data), is_new=new))
    show({"status": "up to date"}, as_json=json)


def config_check(config: ConfigFile = None, data: DataFolder = None, json: Json = False) -> None:
    """Read all settings and start all plugins, on an empty database that goes again."""
    from wellio.observe.examinations.examination import look
    from wellio.observe.examinations.settings import of_settings

    from .server import try_out

    found = settings(config, data)
    plugins = asyncio.run(try_out(found))
    seen = asyncio.run(look(of_settings(found)))
    odd = [f"{it.detail}: {it.advice}" for it in seen if it.status != "ok"]
    odd += [f"plugin {name} is left out: {reason}" for name, reason in plugins.skipped.items()]
    show({"status": "ok", "warnings": [*odd, *plugins.warnings]}, as_json=json)


def config_template(
    env: Annotated[bool, typer.Option("--env", help="As environment variables.")] = False,
    config: ConfigFile = None,
    data: DataFolder = None,
    json: Json = False,
) -> None:
    """Print every setting there is, with its default and what it means."""
    from wellio.boot.loader import load_plugins
    from wellio.config.template import env_template, toml_template

    plugins = load_plugins(settings(config, data))
    models = {entry.name: entry.plugin.config for entry in plugins.loaded if entry.plugin.config}
    text = env_template(models) if env else toml_template(models)
    if json:
        show({"template": text}, as_json=True)
    else:
        typer.echo(text, nl=False)


def plugin_new(
    name: Annotated[str, typer.Argument(help="The plugin's name, such as wins.")],
    path: Annotated[Path, typer.Option(help="Where to; else the current folder.")] = Path(),
    one_file: Annotated[
        bool, typer.Option("--one-file", help="One file and its test, for the setting loader.path.")
    ] = False,
    json: Json = False,
) -> None:
    """Write a plugin that works and has tests, to begin with."""
    from . import skeleton

    if one_file:
        made = skeleton.new_file(name, path)
        following = f"set loader.path to {made.parent}; pytest"
    else:
        made = skeleton.new_distribution(name, path)
        following = f"cd {made}; pip install -e .; pytest"
    show({"made": str(made), "next": following}, as_json=json)


def openapi(
    config: ConfigFile = None,
    data: DataFolder = None,
    json: Json = False,
) -> None:
    """Print the API's description, as /openapi.json serves it."""
    from .server import openapi as describe

    show(asyncio.run(describe(settings(config, data))), as_json=True)


def settings(
    config: Path | None, data: Path | None = None, given: Mapping[str, Any] | None = None
) -> "Config":
    """Read the settings as a command's options say; None stands for an option not given.

    The data folder's path is whole: what names it in an answer is understood in any folder.
    """
    from wellio.config.settings import load_config

    overrides = {"data_dir": data, **(given or {})}
    found = load_config(
        config, overrides={key: value for key, value in overrides.items() if value is not None}
    )
    return found.model_copy(update={"data_dir": found.data_dir.absolute()})


def operations(config: "Config") -> Mapping[str, Operation]:
    """Load the plugins and return every operation there is."""
    from wellio.boot.loader import load_for

    return load_for(config, operations_of)


def perform(
    config: "Config", operation: Operation, raw: Mapping[str, Any], *, is_new: bool = False
) -> Mapping[str, Any]:
    """Do an operation in the running server, or else here, holding the data folder's lock.

    Args:
        config: The settings.
        operation: What to do.
        raw: Its arguments.
        is_new: Whether to make a practice where there is none.

    Raises:
        NoPractice: There is none.
    """
    return asyncio.run(_perform(config, operation, raw, is_new=is_new))


async def _perform(
    config: "Config", operation: Operation, raw: Mapping[str, Any], *, is_new: bool
) -> Mapping[str, Any]:
    from wellio.boot import control

    from .server import running

    try:
        return await control.call(config.data_dir, operation.name, raw)
    except control.NotRunningError:
        async with running(config, is_new=is_new, may_begin=operation.may_begin) as app:
            return await operation.run(app, operation.check(raw))
