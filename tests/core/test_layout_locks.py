"""The locks hold what pyproject.toml asks for, with hashes, and name no host."""

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.core.source_tree import ROOT

LOCKS = sorted(path.name for path in (ROOT / "requirements").glob("*.lock"))
NPM = ["package", "tests/package"]
PIN = re.compile(
    r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins(text: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock (more than one where platforms differ)."""
    found: dict[str, set[str]] = {}
    for name, version, _ in PIN.findall(text):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def unmet(wanted: list[str], locked: dict[str, set[str]]) -> list[str]:
    """Return the requirements that a lock does not satisfy."""
    return [
        text
        for text in wanted
        for need in [Requirement(text)]
        if not any(
            need.specifier.contains(Version(version))
            for version in locked.get(canonicalize_name(need.name), ())
        )
    ]


def without_hash(text: str) -> list[str]:
    """Return the packages of a lock that any bytes would do for."""
    return [name for name, _, rest in PIN.findall(text) if "--hash=sha256:" not in rest]


@pytest.mark.parametrize(
    "lock, wanted",
    [
        ("runtime.lock", PROJECT["project"]["dependencies"]),
        ("dev.lock", PROJECT["project"]["dependencies"]),
        ("dev.lock", PROJECT["project"]["optional-dependencies"]["dev"]),
        ("build.lock", PROJECT["build-system"]["requires"]),
        ("bootstrap.lock", ["uv"]),
    ],
)
def test_a_lock_satisfies_the_project(lock: str, wanted: list[str]) -> None:
    assert unmet(wanted, pins((ROOT / "requirements" / lock).read_text())) == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_hashed_and_names_no_host(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    assert pins(text)
    assert without_hash(text) == []
    assert not re.search(r"://|--index|--find-links", text)


@pytest.mark.parametrize("name", LOCKS)
def test_the_locks_agree(name: str) -> None:
    tested = pins((ROOT / "requirements" / "dev.lock").read_text())
    locked = pins((ROOT / "requirements" / name).read_text())
    assert {package: tested.get(package) for package in locked} == locked


@pytest.mark.parametrize("name", NPM)
def test_an_npm_lock_is_hashed_and_names_no_host(name: str) -> None:
    manifest = json.loads((ROOT / f"{name}.json").read_text())
    packages = json.loads((ROOT / f"{name}-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == manifest["dependencies"]
    assert [key for key, package in packages.items() if "integrity" not in package] == []
    assert [key for key, package in packages.items() if "resolved" in package] == []


def test_a_bad_lock_is_found() -> None:
    bad = "a==1.0 \\\n    --hash=sha256:00\nb==2.0\nc==3.0 ; python_version < '3'\n"
    assert without_hash(bad) == ["b", "c"]
    assert unmet(["a>=1", "b>=3", "d"], pins(bad)) == ["b>=3", "d"]
