"""`wellio keys rotate` signs nobody out, whatever they hold and whenever it is killed."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.children import child
from tests.e2e.witness import Witness
from wellio.keys.ring import MasterRing
from wellio.testing import MakeUser, Sockets, StartApp, TestApp

ROOT = Path(__file__).parents[2]
#: After how many steps a rotation is killed: in the file, after it, and between two seals.
SHORT = (2, 7, 11)
LONG = tuple(range(1, 30))


@pytest.fixture
async def app(wellio_app: StartApp) -> TestApp:
    settings = {"secrets.master_key": None, "plugins.auth.bcrypt_cost": 10}
    return await wellio_app(settings=settings)


@pytest.fixture
async def opened() -> AsyncIterator[Sockets]:
    sockets = Sockets()
    yield sockets
    await sockets.close()


async def signing_keys(app: TestApp) -> int:
    rows = await app.app.db.fetch_all("SELECT kid FROM auth_signing_key")
    return len(rows)


async def sealed_under_old_keys(app: TestApp) -> int:
    """Return how many stored secrets name another key than the newest."""
    newest = MasterRing.of_folder(app.config.data_dir).newest.id
    rows = [
        *await app.app.db.fetch_all("SELECT sealed FROM auth_signing_key"),
        *await app.app.db.fetch_all("SELECT sealed FROM wellio_root_key"),
    ]
    assert len(rows) >= 2
    return sum(bytes(row["sealed"])[: len(newest)] != newest for row in rows)


async def test_nobody_is_signed_out(app: TestApp, make_user: MakeUser, opened: Sockets) -> None:
    witness = await Witness.of(app, make_user)
    sockets = await witness.connect(opened)
    note = await app.app.keys.seal(witness.client.id, "note", b"plain")

    for _ in range(2):
        await app.command("keys rotate")
        await witness.check()
        await witness.redeem()
        for socket in sockets:
            await witness.talk(socket)
    assert await signing_keys(app) == 3
    assert await sealed_under_old_keys(app) == 0
    assert len(MasterRing.of_folder(app.config.data_dir).keys) == 3

    await witness.hold()
    await app.command("keys rotate")
    await app.restart()
    await witness.check()
    await witness.redeem()
    assert await app.app.keys.unseal(witness.client.id, "note", note) == b"plain"


async def test_nothing_needs_the_old_keys(app: TestApp, make_user: MakeUser) -> None:
    """Thirty days later they are gone, and only the answers of a day went with them."""
    witness = await Witness.of(app, make_user)
    note = await app.app.keys.seal(witness.client.id, "note", b"plain")
    await app.command("keys rotate")
    await app.stop()
    file = app.config.data_dir / "secrets/master.key"
    file.write_text(file.read_text().splitlines()[0])
    await app.start()
    await witness.check_sessions()
    await witness.redeem()
    assert await app.app.keys.unseal(witness.client.id, "note", note) == b"plain"


async def kill_at(app: TestApp, step: int) -> None:
    """Run a rotation in a process that is killed at a step."""
    place = {"data_dir": str(app.config.data_dir), "database.url": database_url(app)}
    async with child(
        *(sys.executable, "-m", "tests.e2e.rotation_victim", json.dumps(place), str(step)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    ) as victim:
        said, _ = await victim.communicate()
    assert (victim.returncode, said) == (-signal.SIGKILL, b"")


def database_url(app: TestApp) -> str:
    assert app.config.database.url
    return app.config.database.url.get_secret_value()


@pytest.mark.parametrize("steps", [SHORT, pytest.param(LONG, marks=pytest.mark.prove)])
@pytest.mark.timeout(600)
@pytest.mark.slow("each kill is a process of its own")
async def test_a_killed_rotation_harms_nobody_and_the_next_one_completes(
    app: TestApp, make_user: MakeUser, steps: tuple[int, ...]
) -> None:
    witness = await Witness.of(app, make_user)
    note = await app.app.keys.seal(witness.client.id, "note", b"plain")
    for step in steps:
        await app.stop()
        await kill_at(app, step)
        await app.start()
        await witness.check()
    await witness.redeem()
    await app.command("keys rotate")
    assert await sealed_under_old_keys(app) == 0
    await witness.check()
    assert await app.app.keys.unseal(witness.client.id, "note", note) == b"plain"
    left = [path.name for path in (app.config.data_dir / "secrets").iterdir()]
    assert sorted(left) == ["master.key", "node"]
