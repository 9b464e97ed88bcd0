"""The repository's own source, read as trees: what the layout tests look at.

A rule is a function from a `Source` to its breaches, one sentence each that begins with the line.
Every rule is shown a small bad sample too: one that cannot find anything would hold for ever.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Import:
    """One imported module, and the names taken out of it (none for `import module`)."""

    line: int
    module: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """A Python file of the repository: its path in it, and its text."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Return the parsed file."""
        return ast.parse(self.text)

    @cached_property
    def module(self) -> str:
        """Return the dotted name: `wellio_chat.store` for plugins/wellio_chat/store.py.

        A folder of examples/ is a distribution, and its packages are below.
        """
        parts = self.path.with_suffix("").parts
        parts = parts[{"plugins": 1, "examples": 2}.get(parts[0], 0) :]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def package(self) -> str:
        """Return the distribution's top package: `wellio`, `wellio_chat`."""
        return self.module.partition(".")[0]

    @property
    def is_plugin(self) -> bool:
        """Return whether this file belongs to a plugin."""
        return self.package.startswith("wellio_")

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Return every import, at the top and inside, with relative ones resolved."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[Import]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(node.lineno, alias.name, ())
            elif isinstance(node, ast.ImportFrom):
                names = tuple(alias.name for alias in node.names)
                yield Import(node.lineno, self._absolute(node), names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        up = node.level - (self.path.name == "__init__.py")
        base = self.module.split(".")
        return ".".join(base[: len(base) - up] + ([node.module] if node.module else []))

    @cached_property
    def exported(self) -> tuple[str, ...] | None:
        """Return `__all__`, None where there is none."""
        value = self._assigned("__all__")
        return None if value is None else tuple(ast.literal_eval(value))

    @cached_property
    def friends(self) -> frozenset[str]:
        """Return the packages that a plugin's `PLUGIN` names in `requires` and `after`."""
        plugin = self._assigned("PLUGIN")
        if not isinstance(plugin, ast.Call):
            return frozenset()
        return frozenset(
            f"wellio_{name}"
            for keyword in plugin.keywords
            if keyword.arg in {"requires", "after"}
            for name in ast.literal_eval(keyword.value)
        )

    def _assigned(self, name: str) -> ast.expr | None:
        for node in self.tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    return node.value
        return None


Rule = Callable[[Source], Iterable[str]]
# Each rule, with the bad samples (path, text) in which it must find one breach.
Rules = dict[Rule, list[tuple[str, str]]]


def read(*folders: str) -> list[Source]:
    """Return the Python files below some folders of the repository."""
    return [
        _read(path)
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "node_modules" not in path.parts
    ]


@cache
def _read(path: Path) -> Source:
    """Read a file once: the tests' modules share what was parsed of it."""
    return Source(path.relative_to(ROOT), path.read_text())


def sample(path: str, text: str) -> Source:
    """Return a file that a test made up."""
    return Source(Path(path), text)


def breaches(rule: Rule, sources: Iterable[Source]) -> list[str]:
    """Return what breaks a rule, as `path:line: why`."""
    return [f"{source.path}:{breach}" for source in sources for breach in rule(source)]


def init_of(package: str, sources: Iterable[Source]) -> Source | None:
    """Return a package's `__init__.py`."""
    return next(
        (s for s in sources if s.module == package and s.path.name == "__init__.py"),
        None,
    )
