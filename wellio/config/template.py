"""Renders `config.toml` and `.env.example` from the models, so that neither can be out of date.

`wellio config template` prints them for the plugins that are installed; a test compares the files
in the repository with what is rendered here.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from wellio.access.limits import Rate

from .settings import Config
from .sources import PREFIX

_WIDTH = 98
_TOML_HEAD = """\
Wellio's settings. Each line shows a setting's default: take away its "#" to change it.

The environment wins over this file: WELLIO_SERVER__PORT=8080 sets [server] port, and
WELLIO_PLUGINS__AUTH__MAX_SESSIONS=5 sets [plugins.auth] max_sessions. Any value can also come from
elsewhere: {env = "NAME"} takes an environment variable's, {file = "path"} a file's content, which
is meant for secrets: a file that every user can read is refused.
"""
_ENV_HEAD = """\
Settings for Docker Compose, which reads them from .env. Started otherwise, Wellio reads no .env:
use config.toml, which has the same ones and says more, or systemd's EnvironmentFile.
Numbers are written as in JSON, switches as true or false; lists as JSON, or with commas between and
none at the end. An empty variable counts as absent.
"""
_ALIASES = {
    "DATABASE_URL": "The same as WELLIO_DATABASE__URL.",
    "REDIS_URL": "Accepted with a warning: nothing in this version uses Redis.",
    "JWT_SECRET": "32 random bytes or more; the same as WELLIO_PLUGINS__AUTH__JWT_SECRET.",
    "OPENAI_API_KEY": "Read only by an AI provider that is switched on; none is by default.",
}
Sections = Mapping[str, type[BaseModel]]


def toml_template(plugins: Sections) -> str:
    """Return a `config.toml` with every setting, commented out.

    Args:
        plugins: The models of the plugins' sections, by the plugins' names.
    """
    lines = [*_comment(_TOML_HEAD), ""]
    for name, model in _sections(plugins):
        if name:
            lines += ["", *_comment(model.__doc__ or ""), f"[{name}]"]
        for key, description, default in _settings(model):
            value = "" if default is None else _toml(default)
            lines += [*_comment(description), f"# {key} = {value}".rstrip()]
    return "\n".join(lines) + "\n"


def env_template(plugins: Sections) -> str:
    """Return a `.env.example` with every setting, commented out."""
    lines = [*_comment(_ENV_HEAD), ""]
    for name, description in _ALIASES.items():
        lines += [*_comment(description), f"# {name}="]
    for section, model in _sections(plugins):
        lines.append("")
        prefix = PREFIX + "".join(f"{part.upper()}__" for part in section.split(".") if part)
        for key, _, default in _settings(model):
            value = "" if default is None else default
            text = value if isinstance(value, str) else json.dumps(value)
            lines.append(f"# {prefix}{key.upper()}={text}")
    return "\n".join(lines) + "\n"


def _sections(plugins: Sections) -> Iterator[tuple[str, type[BaseModel]]]:
    yield "", Config
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation
    for name in sorted(plugins):
        yield f"plugins.{name}", plugins[name]


def _settings(model: type[BaseModel]) -> Iterator[tuple[str, str, Any]]:
    """Yield each setting's name, description and default, in the types of JSON."""
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, (BaseModel, dict)):
            continue  # a section of its own
        match default:
            case SecretStr():
                default = default.get_secret_value()
            case Path() | Rate():
                default = str(default)
            case tuple():
                default = list(default)
        yield name, field.description or "", default


def _toml(value: Any) -> str:
    return json.dumps(value)  # numbers, booleans, strings and flat lists are written alike


def _comment(text: str) -> list[str]:
    return [
        f"# {line}".rstrip()
        for paragraph in text.strip().split("\n\n")
        for line in [*textwrap.wrap(" ".join(paragraph.split()), _WIDTH), ""]
    ][:-1]
