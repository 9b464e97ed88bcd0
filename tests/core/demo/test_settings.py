"""What a demo takes from the settings: nothing that leads to a real practice."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest
from pydantic import BaseModel, HttpUrl, SecretStr

from wellio import Plugin, Rate, SectionModel
from wellio.config.settings import Config, load_config
from wellio.demo.settings import in_demo
from wellio.testing.apps import NO_FILE

#: Texts and places that stay: where it listens, whose pages may call it, and which code runs.
HARMLESS = {
    "server.host",
    "server.allowed_origins",
    "server.trusted_proxies",
    "server.forwarded_header",
    "log.level",
    "log.format",
    "loader.path",
    "loader.disabled",
    "loader.on_error",
}
#: What `fill` is told to fill.
PLACE = {"data_dir", "database.url"}
NUMBERS = (int, float, bool, Rate)


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the type of every setting."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings(kind, f"{prefix}{name}.")
        elif f"{prefix}{name}" != "plugins":
            yield f"{prefix}{name}", kind


def value_of(config: BaseModel, name: str) -> Any:
    for part in name.split("."):
        config = getattr(config, part)
    return config


def with_value(config: Config, name: str, value: Any) -> Config:
    """Set one setting, unchecked: the real ones have checks that a sample would have to pass."""
    section, _, key = name.rpartition(".")
    if not section:
        return config.model_copy(update={key: value})
    changed = getattr(config, section).model_copy(update={key: value})
    return config.model_copy(update={section: changed})


TEXTS = [name for name, kind in settings(Config) if kind not in NUMBERS]


def test_the_settings_that_are_looked_at_are_there() -> None:
    kinds = {name: str(kind) for name, kind in settings(Config)}
    assert {"audit.anchor_file", "storage.folder", "secrets.master_key", "mail.url"} <= {*TEXTS}
    assert {name for name, kind in kinds.items() if "Path" in kind or "Secret" in kind} <= {*TEXTS}
    assert {*TEXTS} >= HARMLESS | PLACE


@pytest.mark.parametrize("name", sorted({*TEXTS} - HARMLESS - PLACE))
def test_no_place_and_no_secret_is_a_demos(name: str) -> None:
    default = Config()
    config = with_value(default, name, "/somewhere/real")
    assert value_of(config, name) == "/somewhere/real"
    assert value_of(in_demo(config, []), name) == value_of(default, name)


@pytest.mark.parametrize("name", sorted({*TEXTS} & (HARMLESS | PLACE) - {"loader.path"}))
def test_what_is_harmless_stays(name: str) -> None:
    config = with_value(Config(), name, ())
    assert value_of(in_demo(config, []), name) == ()


def test_every_number_of_the_core_stays() -> None:
    for name, kind in settings(Config):
        if kind in NUMBERS and not name.startswith("mail."):
            config = with_value(Config(), name, 17)
            assert value_of(in_demo(config, []), name) == 17, name


class _Deep(SectionModel):
    token: SecretStr | None = None


class _Section(SectionModel):
    limit: int = 1
    pause_s: float | None = None
    rate: Rate = Rate(1, 1)
    mode: Literal["quick", "slow"] = "slow"
    days: tuple[int, ...] = ()
    folder: Path | None = None
    secret: SecretStr | None = None
    url: HttpUrl | None = None
    webhook: str = ""
    folders: tuple[Path, ...] = ()
    hosts: dict[str, str] | None = None
    deep: _Deep = _Deep()


def test_of_a_plugin_numbers_switches_and_choices_stay() -> None:
    module = ModuleType("staged")
    module.PLUGIN = Plugin("staged", "1.0", config=_Section)  # type: ignore[attr-defined]  # a module's
    plain = {"limit": 2, "pause_s": 0.5, "rate": "5+1/s", "mode": "quick", "days": [1, 2]}
    real = {
        "folder": "/real",
        "secret": "real",
        "url": "https://real.example",
        "webhook": "https://real.example",
        "folders": ["/real"],
        "hosts": {"real": "real.example"},
        "deep": {"token": "real"},
    }
    assert plain.keys() | real.keys() == _Section.model_fields.keys()
    overrides = {"plugins.staged": plain | real, "plugins.gone": {"secret": "real"}}
    config = load_config(NO_FILE, env={}, overrides=overrides)
    assert in_demo(config, [module]).plugins == {"staged": plain}


def test_the_installed_plugins_keep_no_secret_and_no_place() -> None:
    secret = "5ad2c0b8" * 8
    overrides = {"plugins.auth": {"jwt_secret": secret, "bcrypt_cost": 10}}
    config = load_config(NO_FILE, env={}, overrides=overrides)
    assert in_demo(config).plugins["auth"] == {"bcrypt_cost": 10}
