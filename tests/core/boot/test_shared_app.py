"""The app that the cases of a module share, and the mark that leaves out an engine."""

import sys
from pathlib import Path

import pytest
import pytest_asyncio

from tests.children import run
from wellio.testing import MakeUser, Sockets, StartApp, TestApp, User

_apps: dict[str, list[TestApp]] = {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coach(shared_user: MakeUser) -> User:
    return await shared_user("coach")


@pytest.mark.parametrize("case", [1, 2])
async def test_cases_share_one_app_and_its_people(
    shared_app: StartApp, coach: User, engine: str, case: int
) -> None:
    app = await shared_app.first()
    assert (await app.api.as_(coach).get("/me", status=200)).data["id"] == coach.id
    assert app.app.db.engine == engine
    seen = _apps.setdefault(engine, [])
    seen.append(app)
    assert seen == [app] * case
    assert len(_apps) == ["sqlite", "postgres"].index(engine) + 1


async def test_sockets_live_on_its_loop(
    shared_app: StartApp, coach: User, shared_sockets: Sockets
) -> None:
    app = await shared_app.first()
    socket = await shared_sockets.plain(app.url, coach)
    assert not (await socket.call("nothing", None))["ok"]


@pytest.mark.sqlite("it says itself what it proves")
async def test_one_engine_is_enough_where_a_mark_says_so(engine: str) -> None:
    assert engine == "sqlite"


async def test_an_app_of_its_own_is_another(wellio_app: StartApp, engine: str) -> None:
    assert await wellio_app() not in _apps[engine]


def test_the_mark_needs_a_reason(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n@pytest.mark.sqlite\ndef test_it(engine): pass\n"
    )
    others = [f"-pno:{name}" for name in ("cacheprovider", "hypothesispytest", "schemathesis")]
    done = run(sys.executable, "-m", "pytest", "-q", *others, cwd=tmp_path)
    assert "mark.sqlite says no reason" in done.stdout, done.stdout + done.stderr
