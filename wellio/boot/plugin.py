"""What a plugin says about itself, and what the loader knows of it."""

import re
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from wellio.config.settings import SectionModel
from wellio.errors import PluginError

from .plugin_sources import Offer

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a plugin says about itself.

    Attributes:
        name: Short and unique; also that of its entry point, file or folder, of its section in
            `config.toml` and of its tables' prefix.
        version: Its own version.
        requires: Plugins without which it cannot run; they come before it.
        after: Plugins that come before it where they are present.
        config: The model of `[plugins.<name>]`.
        migrations: Importable packages that hold a folder `migrations`; so a plugin with tables is
            a folder, not one file.
        summary: One sentence for `wellio plugins`.
        wellio: The versions of Wellio that it works with, such as `>=0.3,<0.5` (PEP 440); empty for
            all of them.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    config: type[SectionModel] | None = None
    migrations: tuple[str, ...] = ()
    summary: str = ""
    wellio: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise PluginError(f"plugin name {self.name!r}: expected {_NAME.pattern}")
        if self.name == "core":
            raise PluginError("core is what Wellio itself is called in logs and in /health")
        try:
            SpecifierSet(self.wellio)
        except InvalidSpecifier as error:
            raise PluginError(f"plugin {self.name}: wellio={self.wellio!r}: {error}") from error

    def require_wellio(self) -> None:
        """Raise PluginError, with both versions, where this Wellio is not one that it works with.

        A pre-release counts as the version that it comes before: 0.3.0rc1 is within `>=0.2,<0.5`.
        """
        present = metadata.version("wellio")
        if not SpecifierSet(self.wellio).contains(present, prereleases=True):
            raise PluginError(f"it works with Wellio {self.wellio}, and this is Wellio {present}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin of this app.

    Attributes:
        plugin: What it says about itself.
        module: The object that holds the hooks.
        offer: Where it comes from.
        settings: Its validated section; empty when it has no model.
    """

    plugin: Plugin
    module: Any
    offer: Offer
    settings: SectionModel | None = None

    @property
    def name(self) -> str:
        """Return the plugin's name."""
        return self.plugin.name

    @property
    def package(self) -> str:
        """Return the module that holds the hooks: for a plugin in a folder, its package."""
        if isinstance(self.module, ModuleType):
            return self.module.__name__
        return type(self.module).__module__


class BrokenPluginError(PluginError):
    """A hook raised.

    Attributes:
        name: The plugin.
        reason: Which hook, and what it raised.
    """

    def __init__(self, entry: Loaded, hook: str, error: Exception) -> None:
        self.name = entry.name
        self.reason = f"{hook} failed: {reason_of(error)}"
        super().__init__(f"plugin {entry.name} ({entry.offer.origin}): {self.reason}")


def reason_of(error: Exception) -> str:
    """Return what an exception says, for people."""
    return str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
