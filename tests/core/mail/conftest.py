"""A mailer as an app has it, and a mail server for it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.mail.post_office import PostOffice, post_office
from wellio.clock import ManualClock
from wellio.config.settings import load_config
from wellio.mail import Mailer
from wellio.observe.metrics import Metrics
from wellio.testing.apps import NO_FILE

START = 1_780_000_000_000  # 28 May 2026, 20:26:40 UTC
MakeMailer = Callable[..., Mailer]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def make_mailer(tmp_path: Path, clock: ManualClock, metrics: Metrics) -> Iterator[MakeMailer]:
    """Make mailers, for a URL or for the folder."""
    made: list[Mailer] = []

    def make(url: str | None = None, **settings: Any) -> Mailer:
        given = {f"mail.{name}": value for name, value in settings.items()}
        place = {"data_dir": tmp_path, **({"mail.url": url} if url else {})}
        config = load_config(NO_FILE, env={}, overrides={**place, **given})
        made.append(Mailer(config, clock, Metrics() if made else metrics))
        return made[-1]

    yield make
    for mailer in made:
        mailer.close()


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office
