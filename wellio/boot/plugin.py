"""What a plugin says about itself, and what the loader knows of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from wellio.config.section import SectionModel
from wellio.errors import PluginError, WellioError

from .plugin_sources import Offer

_NAME = re.compile(r"[a-z][a-z0-9_]*")
TAKEN = {
    "core": "what Wellio itself is called in logs and in /health",
    "wellio": "what Wellio's own tables and migrations are called",
}
"""Names that no plugin may have, nor begin with: why not."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a plugin says about itself.

    Attributes:
        name: Short and unique; also that of its entry point, file or folder, of its section in
            `config.toml` and of its tables' prefix, so it begins with no name of Wellio's own
            plugins and an underscore.
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
        if not _NAME.fullmatch(str(self.name)):
            raise PluginError(f"plugin name {self.name!r}: expected {_NAME.pattern}")
        if self.name in TAKEN:
            raise PluginError(f"{self.name} is {TAKEN[self.name]}")
        for field in ("requires", "after", "migrations"):
            names = getattr(self, field)
            if not isinstance(names, tuple) or not all(isinstance(it, str) for it in names):
                raise PluginError(f"plugin {self.name}: {field} is no tuple of names")
        if self.config is not None and SectionModel not in getattr(self.config, "__mro__", ()):
            raise PluginError(f"plugin {self.name}: config is no subclass of SectionModel")
        try:
            SpecifierSet(self.wellio)
        except InvalidSpecifier as error:
            raise PluginError(
                f"plugin {self.name}: wellio={self.wellio!r} cannot be read ({error})"
            ) from error

    def require_wellio(self) -> None:
        """Raise PluginError, with both versions, where this Wellio is not one that it works with.

        A pre-release counts as the version that it comes before: 0.3.0rc1 is within `>=0.2,<0.5`.
        """
        if not self.wellio:
            return
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
    """What a plugin brings does not work, so the app is put together without it, or not at all.

    Attributes:
        name: The plugin.
        reason: What does not work, and why.
    """

    def __init__(self, entry: Loaded, what: str, error: BaseException) -> None:
        self.name = entry.name
        self.reason = f"{what} failed: {reason_of(error)}"
        super().__init__(f"plugin {entry.name} ({entry.offer.origin}): {self.reason}")


#: What code of a plugin may raise: some libraries end the process where they should raise.
FAULTS = (Exception, SystemExit)


@contextmanager
def naming(entry: Loaded | None, what: str) -> Iterator[None]:
    """Have what a block raises named as a plugin's; without one it is the core's, and stays.

    Raises:
        BrokenPluginError: The block raised. Of one plugin that asks for what another brings, and
            finds that broken, it names the other.
    """
    try:
        yield
    except BrokenPluginError:
        raise
    except FAULTS as error:
        if entry is None:
            raise
        raise BrokenPluginError(entry, what, error) from error


def reason_of(error: BaseException) -> str:
    """Return what an exception says, for people."""
    if isinstance(error, WellioError):
        return str(error)
    said = f"{type(error).__name__}: {error}"
    return f"it ended the process ({said})" if isinstance(error, SystemExit) else said
