"""What a demo takes from the settings: nothing that leads to a real practice, its data or its keys.

It is a list of what may stay. A setting that is new has its default in a demo until it is named
here.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from wellio.access.limits import Rate
from wellio.boot.loader import load_plugins
from wellio.config.settings import Config, DatabaseConfig

from .record import holds_demo, lies_in_folder, read

_SECTIONS: Final = ("log", "limits", "realtime", "loader")
_SERVER: Final = (
    "host",
    "port",
    "allowed_origins",
    "trusted_proxies",
    "forwarded_header",
    "head_timeout_s",
    "body_timeout_s",
    "unread_timeout_s",
    "shutdown_timeout_s",
)
_PLAIN: Final = frozenset({int, float, bool, NoneType, Rate})


def in_demo(config: Config, plugins: Sequence[object] | None = None) -> Config:
    """Return the settings of a demo in the same folder and database.

    Of the plugins' settings, numbers, switches and choices of given words stay. A text may be an
    address or a key whatever its type says.

    Args:
        config: The settings of whoever starts it.
        plugins: Exactly these; None takes all that are installed.

    Raises:
        ConfigError: A plugin's settings are wrong, or it cannot do without one that goes.
    """
    kept: dict[str, Any] = {name: getattr(config, name) for name in _SECTIONS}
    server = {name: getattr(config.server, name) for name in _SERVER}
    kept["server"] = type(config.server)().model_copy(update=server)
    kept["plugins"] = {
        entry.name: dict(_harmless(entry.plugin.config, config.plugins.get(entry.name, {})))
        for entry in load_plugins(config, plugins).loaded
        if entry.plugin.config
    }
    place = {"data_dir": config.data_dir, "database": config.database}
    return Config().model_copy(update=kept | place)


def of_folder(config: Config) -> Config:
    """Return the settings of a demo if that is what the folder holds, or else these settings.

    So a command that does not know of it sends no mail of a demo, writes no anchor of its log to
    those of a real practice, and opens no database but its own.

    Raises:
        WellioError: The demo is not finished, or the settings name another database than its own.
    """
    if not holds_demo(config.data_dir):
        return config
    if lies_in_folder(config.data_dir):
        config = config.model_copy(update={"database": DatabaseConfig()})
    read(config)
    return in_demo(config)


def _harmless(model: type[BaseModel], raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the settings of a table that are neither a place nor a secret, nor could hide one."""
    for name, value in raw.items():
        if _is_plain(model.model_fields[name].annotation):
            yield name, value


def _is_plain(annotation: Any) -> bool:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return True
    if origin is Annotated:
        return _is_plain(inner[0])
    if origin in {Union, UnionType, tuple, list}:
        return all(it is Ellipsis or _is_plain(it) for it in inner)
    return annotation in _PLAIN
