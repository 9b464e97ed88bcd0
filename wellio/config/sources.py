"""Where settings come from: a TOML file and the environment, merged into one tree of tables."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from wellio.errors import ConfigError
from wellio.strict.texts import Written

from .strength import weakness

PREFIX = "WELLIO_"
ALIASES = {"DATABASE_URL": "database.url", "JWT_SECRET": "plugins.auth.jwt_secret"}

_HALF = re.compile("[\ud800-\udfff]")  # a byte that is no UTF-8, as Python keeps it
#: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_LINKS = (
    (r"(\w+_)?SERVICE_HOST", r"[0-9a-fA-F:.]+|None"),
    (r"(\w+_)?SERVICE_PORT(_\w+)?", r"\d+"),
    (r"(\w+_)?PORT(_\d+_(TCP|UDP|SCTP))?", r"(tcp|udp|sctp)://\S+"),
    (r"(\w+_)?PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)", r"\S+"),
)


class Origins:
    """Where settings stand, as who wrote them would say."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._variables: dict[str, str] = {}

    def __eq__(self, other: object) -> bool:
        """Settings are the same wherever they stand."""
        return isinstance(other, Origins)

    __hash__ = None  # type: ignore[assignment]  # as of all that changes

    def note_file(self, name: str, value: Any, file: str) -> None:
        """Remember that a value, and all that is in it, stands in a file."""
        self._files[name] = file
        for key, item in value.items() if isinstance(value, dict) else ():
            self.note_file(dotted(name, key), item, file)

    def note_variable(self, name: str, variable: str) -> None:
        """Remember that a setting is a variable's, whatever a file says."""
        self._variables[name] = variable

    def note_option(self, name: str) -> None:
        """Remember that a setting is neither's."""
        self._variables.pop(name, None)
        self._files.pop(name, None)

    def of(self, *parts: int | str) -> str:
        """Say where a setting stands: the variable, or its name and the file."""
        names = [str(part) for part in parts if not isinstance(part, int) and part != ""]
        items = "".join(f", item {part + 1}" for part in parts if isinstance(part, int))
        name = dotted(*names)
        for known in (name, *(name.rsplit(".", n)[0] for n in range(1, name.count(".") + 1))):
            if known in self._variables:
                return self._variables[known] + items
            if known in self._files and known == name:
                return f"{name} in {self._files[known]}{items}"
        return name + items

    def like(self, name: str, other: str) -> str:
        """Say another setting's name as it would stand where this one does."""
        if name in self._variables:
            return PREFIX + other.upper().replace(".", "__")
        return other


class Sources:
    """Collects what the sources say; a later value replaces an earlier one.

    Attributes:
        tree: The tables, as nested dicts; values are still as they were read.
        problems: One line for each value that cannot be had.
        oddities: One line for each thing that has no effect.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self.tree: dict[str, Any] = {}
        self.problems: list[str] = []
        self.oddities: list[str] = []
        self.origins = Origins()
        self._env = env

    def put(self, name: str, value: Any) -> None:
        """Set the value of a dotted name."""
        *tables, key = name.split(".")
        node = self.tree
        for table in tables:
            child = node.setdefault(table, {})
            if not isinstance(child, dict):
                where = self.origins.of(name)
                self.problems.append(f"{where}: {table} is a single setting, not a table")
                return
            node = child
        node[key] = value

    def read_file(self, path: Path, *, required: bool) -> None:
        """Read a TOML file; one that is not required may be absent."""
        try:
            table = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            if required:
                raise ConfigError(f"there is no file {path}") from None
            return
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}") from None
        self.origins.note_file("", table, path.name)
        self.tree = self._resolve(table, "", path.parent)

    def read_environment(self) -> None:
        """Read the aliases, then `WELLIO_SECTION__KEY`; an empty variable counts as absent."""
        secret = self._env.get("JWT_SECRET")
        if secret and (problem := weakness(secret)) is not None:
            self.problems.append(f"JWT_SECRET: {problem}")
        for alias, name in ALIASES.items():
            if self._env.get(alias):
                self._put_variable(alias, name, Written(self._env[alias]))
        links = sorted(it for it in self._env.items() if _is_link(*it))
        if links:
            self.oddities.append(
                f"{links[0][0]}: Kubernetes sets it, and {len(links) - 1} more, for a service that "
                "is called wellio; they are no settings (enableServiceLinks: false leaves them out)"
            )
        for variable, text in sorted(self._env.items() - set(links)):
            if variable.startswith(PREFIX) and text:
                name = variable.removeprefix(PREFIX).lower().replace("__", ".")
                self._put_variable(variable, name, _reference(text))

    def put_option(self, name: str, value: Any) -> None:
        """Set a value that wins over file and environment."""
        self.origins.note_option(name)
        self.put(name, value)

    def _put_variable(self, variable: str, name: str, value: Any) -> None:
        self.origins.note_variable(name, variable)
        if isinstance(value, str) and _HALF.search(value):
            self.problems.append(f"{variable}: must be UTF-8")
            return
        self.put(name, self._resolve(value, name, Path()))

    def _resolve(self, value: Any, name: str, folder: Path) -> Any:
        """Replace `{env = "NAME"}` and `{file = "path"}` by what they name."""
        match value:
            case {"env": str(variable), **rest} if not rest:
                if variable not in self._env:
                    self.problems.append(
                        f"{self.origins.of(name)}: the environment has no variable {variable}"
                    )
                text = self._env.get(variable)
                return None if text is None else Written(text)
            case {"file": str(file), **rest} if not rest:
                return self._content(name, folder, file)
            case dict():
                return {
                    key: self._resolve(item, dotted(name, key), folder)
                    for key, item in value.items()
                }
        return value

    def _content(self, name: str, folder: Path, file: str) -> str | None:
        """Return what a file holds, which is taken for a secret."""
        where = self.origins.of(name)
        try:
            path = folder / file
            if path.stat().st_mode & 0o007:
                self.problems.append(
                    f"{where}: the file {file} can be read by every user: its mode must be 0600"
                )
                return None
            return Written(path.read_text("utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            self.problems.append(f"{where}: the file {file} cannot be read: {reason}")
            return None


def _is_link(variable: str, text: str) -> bool:
    """Tell whether Kubernetes made a variable, which it does for every service beside a pod.

    Our own names have two underscores where a section ends, and theirs have not.
    """
    if not variable.startswith(PREFIX) or "__" in variable:
        return False
    return any(
        re.fullmatch(form, variable.removeprefix(PREFIX)) and re.fullmatch(value, text)
        for form, value in _LINKS
    )


def _reference(text: str) -> Any:
    """Return a variable's text, or the table that it is when it names another place as JSON."""
    if text.startswith("{"):
        try:
            parsed = orjson.loads(text)
        except orjson.JSONDecodeError:
            return Written(text)
        if isinstance(parsed, dict) and parsed.keys() in ({"env"}, {"file"}):
            return parsed
    return Written(text)


def dotted(*parts: int | str) -> str:
    """Join the parts of a setting's name; empty ones are left out."""
    return ".".join(str(part) for part in parts if part != "")
