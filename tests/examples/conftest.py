"""The wheels of Wellio and of the example, built once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.examples.installation import EXAMPLE, ROOT, build


@dataclass(frozen=True)
class Wheels:
    """The wheels, as somebody would get them from an index."""

    wellio: Path
    hello: Path


@pytest.fixture(scope="session")
def wellio_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wellio"))


@pytest.fixture(scope="session")
def wheels(wellio_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    return Wheels(wellio_wheel, build(EXAMPLE, tmp_path_factory.mktemp("hello")))
