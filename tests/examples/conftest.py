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
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    folder = tmp_path_factory.mktemp("wheels")
    return Wheels(build(ROOT, folder / "wellio"), build(EXAMPLE, folder / "hello"))
