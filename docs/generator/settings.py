"""`docs/config.md`: every setting."""

from collections.abc import Iterator
from typing import Annotated, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from docs.generator import text
from docs.generator.text import docstring, kind, table
from wellio import Wellio
from wellio.config.settings import Config
from wellio.config.sources import PREFIX

_INTRODUCTION = """\
Settings stand in `config.toml` in the folder where `wellio serve` runs, or in the file that `--config` names. The environment wins over the file. Any value can also be `{env = "NAME"}` or `{file = "path"}`. In a variable a number is written as in JSON (`10`, `2.5`; no `1_0`, no `+5`), a switch as `true` or `false`, a list as JSON or with commas between its items and none behind the last; in the file each has its own type of TOML, and `"10"` is no number. A wrong or unknown setting stops the start with its name and what was expected; a section of a plugin that is absent is a warning. `wellio config check` tries all of it, and every plugin, on an empty database of its own.

`DATABASE_URL`, `JWT_SECRET` and `REDIS_URL` are taken as `WELLIO_DATABASE__URL`, `WELLIO_PLUGINS__AUTH__JWT_SECRET` and a warning."""  # noqa: E501 - a paragraph is a line


def _sections(app: Wellio) -> Iterator[str]:
    """Yield a section of the page for each section of the settings."""
    top = {name: field for name, field in Config.model_fields.items() if name != "plugins"}
    plain = {name: field for name, field in top.items() if _section_of(field) is None}
    yield table(_HEAD, (_row("", name, field) for name, field in plain.items()))
    for name, field in top.items():
        if (model := _section_of(field)) is not None:
            yield from _section(name, model)
    for entry in app.hooks.plugins.loaded:
        if entry.plugin.config is not None:
            yield from _section(f"plugins.{entry.name}", entry.plugin.config)


def page(app: Wellio) -> str:
    """Return the page."""
    return text.page("Settings", _INTRODUCTION, *_sections(app))


_HEAD = ("Setting", "Environment", "Type", "Default", "")


def _section_of(field: FieldInfo) -> type[BaseModel] | None:
    model = field.annotation
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _section(name: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"## `[{name}]`\n\n{docstring(model)}\n"
    yield table(_HEAD, (_row(name, key, field) for key, field in model.model_fields.items()))


def _row(section: str, key: str, field: FieldInfo) -> tuple[str, ...]:
    dotted = f"{section}.{key}" if section else key
    environment = PREFIX + dotted.upper().replace(".", "__")
    default = field.default
    shown = "" if default is None or isinstance(default, SecretStr) else f"`{_plain(default)}`"
    return (
        f"`{key}`",
        f"`{environment}`",
        _bounded(field),
        shown,
        field.description or "",
    )


def _bounded(field: FieldInfo) -> str:
    """Return a setting's type with what it may be: `int, 0 to 65535`."""
    rules = list(_constraints(field))
    least, most, above = (
        next((getattr(it, name) for it in rules if hasattr(it, name)), None)
        for name in ("ge", "le", "gt")
    )
    text = kind(field.annotation).replace("tuple[", "list[").replace(", ...]", "]")
    if above is not None:
        text += f", more than {above}"
    if least is not None and most is not None:
        return f"{text}, {least} to {most}"
    if least is not None:
        text += f", {least} or more"
    return text if most is None else f"{text}, at most {most}"


def _constraints(field: FieldInfo) -> Iterator[object]:
    yield from field.metadata
    for part in get_args(field.annotation):  # of what may be absent
        if get_origin(part) is Annotated:
            for it in part.__metadata__:
                yield from getattr(it, "metadata", [it])


def _plain(default: object) -> str:
    return "[]" if default == () else str(default)
