"""A subscriber that fails turns a test red, with its place, unless the test expects it."""

import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.children import run
from wellio import Event, EventBus, Plugin, Tx, Wellio, hookimpl
from wellio.testing import StartApp, TestApp

pytestmark = pytest.mark.sqlite("what fails here are functions")


class Dropped(Event, name="cup.dropped", about=None):
    """A cup was dropped."""

    cup_id: str


class Cups:
    """Has a subscriber of each kind, both of which choke on one cup."""

    PLUGIN = Plugin("cups", "1")

    @hookimpl
    def register_events(self) -> Sequence[type[Event]]:
        return [Dropped]

    @hookimpl
    def register_subscribers(self, app: Wellio, bus: EventBus) -> None:
        bus.subscribe(Dropped, partial(self.look, 1))
        bus.subscribe_durable("cups.sweep", Dropped, self.sweep)

    def look(self, _times: int, event: Dropped) -> None:
        if event.cup_id == "broken":
            raise LookupError(f"a secret about {event.cup_id}")

    async def sweep(self, tx: Tx, event: Dropped) -> None:
        await tx.fetch_one("SELECT 1")
        if event.cup_id == "broken":
            self.look(1, event)


async def drop(app: TestApp, cup_id: str) -> None:
    await app.app.db.write(app.app.bus.publish, Dropped(cup_id=cup_id))


@pytest.fixture
async def app(wellio_app: StartApp) -> TestApp:
    return await wellio_app(plugins=[Cups()])


async def test_what_nobody_expects_is_told_with_its_place_and_once(app: TestApp) -> None:
    await drop(app, "broken")
    with pytest.raises(AssertionError, match="subscribers failed") as caught:
        await app.settled()
    said = str(caught.value)
    assert "cups.sweep (tests) at cup.dropped: LookupError" in said
    assert f"{__file__}:{Cups.sweep.__code__.co_firstlineno + 3} Cups.sweep" in said
    assert "secret" not in said
    await drop(app, "whole")
    await app.settled()  # what was told once is not told again


@pytest.mark.parametrize("end", [TestApp.stop, TestApp.restart])
async def test_the_end_of_an_app_tells_too(
    app: TestApp, end: Callable[[TestApp], Coroutine[None, None, None]]
) -> None:
    await drop(app, "broken")
    await app.app.bus.settled()
    with pytest.raises(AssertionError, match="subscribers failed"):
        await end(app)


async def test_what_a_test_expects_may_fail_within_its_block(app: TestApp) -> None:
    with app.bus.expect_failures() as failures:
        await drop(app, "broken")
        await app.settled()
    assert [(it.plugin, it.error) for it in failures] == [("tests", "LookupError")] * 2
    assert {it.subscriber for it in failures} >= {"cups.sweep"}
    await app.settled()
    await drop(app, "broken")  # and not after it
    with pytest.raises(AssertionError, match="subscribers failed"):
        await app.settled()


async def test_an_expected_failure_has_to_happen(app: TestApp) -> None:
    async def expect_in_vain() -> None:
        with app.bus.expect_failures():
            await drop(app, "whole")
            await app.settled()

    with pytest.raises(AssertionError, match="no subscriber failed"):
        await expect_in_vain()


CARELESS = """
from tests.core.boot.test_failures import Cups, drop

async def test_both_subscribers_raise(wellio_app):
    await drop(await wellio_app(plugins=[Cups()]), "broken")
"""


def test_a_test_that_looks_at_nothing_is_red(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(CARELESS)
    others = [f"-pno:{name}" for name in ("cacheprovider", "hypothesispytest", "schemathesis")]
    only = ("-oasyncio_mode=auto", "-k", "sqlite", *others)
    done = run(sys.executable, "-m", "pytest", "-q", *only, str(tmp_path / "test_it.py"))
    assert "1 passed, 1 deselected, 1 error" in done.stdout, done.stdout + done.stderr
    assert "subscribers failed" in done.stdout
