"""The demo practice on both engines: lived, open to who is shown, and the same again."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from wellio_demo.people.cast import invited
from wellio_demo.records.part import NAME

from tests.core.boot.processes import WELLIO, environment, serve, wellio
from wellio import DemoSize, Tx, WellioError
from wellio.cli.demo import before_serving, demo_settings
from wellio.config.settings import DatabaseConfig, MailConfig
from wellio.db import connect
from wellio.db.base import Database
from wellio.demo.filling import fill
from wellio.demo.record import DemoPractice, database_of, path_of, read, write
from wellio.mail import Mailbox
from wellio.testing import DEADLINE_S, TestApp
from wellio.testing.apps import DEFAULTS
from wellio.testing.engines import Databases, EngineName
from wellio.testing.plugin import StartApp

SIZE = DemoSize(coaches=3, clients=8, days=28)
#: For what is asked of any demo, however little was lived in it.
SMALL = DemoSize(coaches=2, clients=2, days=7)
DAY = 86_400_000
END = 1_795_600_000_000
ZONE = ZoneInfo("Europe/Dublin")

PAIRS = """
SELECT c.id, staff.id AS coach_id, client.id AS client_id
FROM chat_conversation c
JOIN chat_member m ON m.conversation_id = c.id JOIN auth_user staff ON staff.id = m.user_id
JOIN chat_member n ON n.conversation_id = c.id JOIN auth_user client ON client.id = n.user_id
WHERE c.kind = 'direct' AND staff.role <> 'client' AND client.role = 'client'
"""
ASSIGNED = """
SELECT r.user_id, a.user_id AS coach_id FROM practice_client r JOIN practice_v_assignment a
ON a.client_id = r.id
"""
ONCE_ASSIGNED = """
SELECT r.user_id, e.subject_id FROM wellio_audit e JOIN practice_client r ON r.id = e.object_id
WHERE e.action = 'client.assigned'
"""
MESSAGES = """
SELECT u.email, m.created_at, m.body, m.seq, m.conversation_id FROM chat_message m
JOIN auth_user u ON u.id = m.sender_id ORDER BY m.created_at, u.email, m.seq
"""


Fill = Callable[..., Awaitable[tuple[TestApp, DemoPractice]]]


@pytest_asyncio.fixture
async def empty(
    engine: EngineName, wellio_databases: Callable[[EngineName, bool], Databases]
) -> AsyncIterator[Callable[[], Awaitable[TestApp]]]:
    """Make apps on an empty folder and an empty database; none is started."""
    databases = wellio_databases(engine, False)
    async with AsyncExitStack() as ends:

        async def make() -> TestApp:
            url, data_dir = await databases.create()
            ends.push_async_callback(databases.drop, url)
            app = TestApp({"data_dir": data_dir, "database.url": url, "secrets.master_key": None})
            ends.push_async_callback(app.stop)
            return app

        yield make


@pytest.fixture
def filled(empty: Callable[[], Awaitable[TestApp]]) -> Fill:
    """Fill a practice and start it."""

    async def fill_one(*, seed: int = 1, size: DemoSize = SMALL) -> tuple[TestApp, DemoPractice]:
        app = await empty()
        practice = await fill(app.config, size=size, seed=seed, end_ms=END)
        await app.start()
        return app, practice

    return fill_one


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(
    engine: EngineName, wellio_databases: Callable[[EngineName, bool], Databases]
) -> AsyncIterator[tuple[TestApp, DemoPractice]]:
    """Fill a practice that nobody changes, with a real mail server in its settings; start it."""
    databases = wellio_databases(engine, False)
    url, data_dir = await databases.create()
    app = TestApp({"data_dir": data_dir, "database.url": url, "secrets.master_key": None})
    mail = MailConfig.model_validate(
        {"url": "mailtos://me:quiet@mail.example?from=me@mail.example"}
    )
    config = app.config.model_copy(update={"mail": mail})
    practice = await fill(config, size=SIZE, seed=1, end_ms=END)
    await app.start()
    yield app, practice
    await app.stop()
    await databases.drop(url)


def told(messages: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what a life consists of, without ids."""
    return [(it["email"], it["created_at"], it["body"], it["seq"]) for it in messages]


async def rows(db: Database, sql: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await db.fetch_all(sql)]


@pytest.mark.asyncio(loop_scope="module")
async def test_it_looks_as_if_it_had_been_lived(demo: tuple[TestApp, DemoPractice]) -> None:
    app, _ = demo
    db = app.app.db
    messages = await rows(db, MESSAGES)
    assert len(messages) > 100
    await _numbers_have_no_gaps(db, messages)
    await _nobody_writes_to_a_stranger(db)
    for message in messages:
        assert END - SIZE.days * DAY <= message["created_at"] <= END
        at = datetime.fromtimestamp(message["created_at"] / 1000, ZONE)
        assert not 2 <= at.hour < 6, at
    for table in ("auth_user", "practice_client", "chat_conversation", "wellio_audit"):
        column = "at" if table == "wellio_audit" else "created_at"
        [span] = await rows(db, f"SELECT min({column}) AS a, max({column}) AS b FROM {table}")
        assert END - SIZE.days * DAY <= span["a"] <= span["b"] <= END, table
    assert (await app.app.audit.verify()).is_intact


async def _numbers_have_no_gaps(db: Database, messages: list[dict[str, Any]]) -> None:
    talks = await rows(db, "SELECT id, other_events FROM chat_conversation")
    for talk in talks:
        own = sorted(
            (it["seq"], it["created_at"]) for it in messages if it["conversation_id"] == talk["id"]
        )
        last_seq = len(own)
        assert [seq for seq, _ in own] == list(range(1, last_seq + 1))
        assert [at for _, at in own] == sorted(at for _, at in own)
        events = await db.fetch_all(
            "SELECT e.event_seq AS event_seq, e.created_at FROM chat_event e "
            "WHERE e.conversation_id = :id UNION ALL "
            "SELECT m.event_seq, m.created_at FROM chat_message m WHERE m.conversation_id = :id "
            "ORDER BY event_seq",
            id=talk["id"],
        )
        last = last_seq + talk["other_events"]
        assert [it["event_seq"] for it in events] == list(range(1, last + 1))
        assert [it["created_at"] for it in events] == sorted(it["created_at"] for it in events)
        members = await db.fetch_all(
            "SELECT delivered_seq, read_seq, uncounted FROM chat_member "
            "WHERE conversation_id = :id",
            id=talk["id"],
        )
        for member in members:
            assert 0 <= member["read_seq"] <= member["delivered_seq"] <= last_seq
            assert member["uncounted"] <= last_seq - member["read_seq"]


async def _nobody_writes_to_a_stranger(db: Database) -> None:
    assigned = {tuple(row.values()) for row in await rows(db, ASSIGNED)}
    once = {tuple(row.values()) for row in await rows(db, ONCE_ASSIGNED)}
    pairs = await rows(db, PAIRS)
    talking = {(pair["client_id"], pair["coach_id"]) for pair in pairs}
    assert len(talking) >= SIZE.clients
    assert talking <= once
    assert assigned <= once
    assert talking - assigned, "nobody was handed over"


@pytest.mark.asyncio(loop_scope="module")
async def test_everybody_who_is_shown_can_sign_in(demo: tuple[TestApp, DemoPractice]) -> None:
    app, practice = demo
    assert [login.role for login in practice.logins[:5]] == [
        *("owner", "coach", "coach"),
        *("coach", "assistant"),
    ]
    assert len(practice.logins) == 5 + SIZE.clients
    for login in (practice.logins[0], practice.logins[1], practice.logins[-1]):
        body = {"email": login.email, "password": practice.password}
        signed_in = await app.api.post("/auth/login", body, status=200)
        token = signed_in.data["accessToken"]
        api = app.api.as_(Token(token))
        me = (await api.get("/me", status=200)).data
        assert (me["name"], me["role"]) == (login.name, login.role)
        dashboard = (await api.get("/dashboard", status=200)).data
        assert dashboard["conversations"] or login.role == "owner"
        assert (await api.get("/practice", status=200)).data["name"] == NAME
    wrong = {"email": practice.logins[0].email, "password": "kabota-kabota-kabota-kabota"}
    await app.api.post("/auth/login", wrong, status=401)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_mails_that_it_wants_lie_in_its_mailbox(
    demo: tuple[TestApp, DemoPractice],
) -> None:
    app, _ = demo
    mails = await Mailbox(app.config.data_dir / "mailbox").read(last=100)
    assert {mail.to for mail in mails} >= set(invited())
    sent = "SELECT kind FROM wellio_job WHERE kind LIKE '%mail%'"
    assert await rows(app.app.db, sent) == []


class Token:
    """What a client signs its requests with."""

    def __init__(self, token: str) -> None:
        self.token = token


@pytest.mark.prove
async def test_two_years_of_it_are_lived_within_a_minute(
    empty: Callable[[], Awaitable[TestApp]],
) -> None:
    app = await empty()
    begun = time.perf_counter()
    await fill(app.config)
    lived = time.perf_counter() - begun
    await app.start()
    [counted] = await rows(app.app.db, "SELECT count(*) AS n FROM chat_message")
    print(f"{counted['n']} messages in {lived:.1f} s")
    assert counted["n"] > 15_000
    assert lived < 60
    await _numbers_have_no_gaps(app.app.db, await rows(app.app.db, MESSAGES))
    await _nobody_writes_to_a_stranger(app.app.db)
    assert (await app.app.audit.verify()).is_intact


@pytest.mark.sqlite("what is planned knows no engine")
@pytest.mark.asyncio(loop_scope="module")
async def test_the_same_seed_is_lived_in_the_same_way(
    demo: tuple[TestApp, DemoPractice], wellio_databases: Callable[[EngineName, bool], Databases]
) -> None:
    first, practice = demo
    lives = [(practice.logins, practice.events, told(await rows(first.app.db, MESSAGES)))]
    passwords = {practice.password}
    for seed in (1, 2):
        url, data_dir = await wellio_databases("sqlite", False).create()
        app = TestApp({"data_dir": data_dir, "database.url": url, "secrets.master_key": None})
        practice = await fill(app.config, size=SIZE, seed=seed, end_ms=END)
        await app.start()
        lives.append((practice.logins, practice.events, told(await rows(app.app.db, MESSAGES))))
        await app.stop()
        passwords.add(practice.password)
    assert lives[0] == lives[1]
    assert lives[0] != lives[2]
    assert len(passwords) == 3, "a password is nobody else's"


async def test_a_practice_that_is_no_demo_is_left_alone(filled: Fill) -> None:
    app, _ = await filled()
    before = await rows(app.app.db, MESSAGES)
    await app.stop()
    path_of(app.config.data_dir).unlink()
    with pytest.raises(WellioError, match="is no demo and has something in it"):
        await fill(app.config, size=SIZE)
    await app.start()
    assert await rows(app.app.db, MESSAGES) == before


async def test_a_real_database_is_refused_before_it_is_upgraded(
    wellio_app: StartApp, tmp_path: Path
) -> None:
    app = await wellio_app()
    await app.app.db.write(_forget_a_migration)  # as if an older program had made it
    await app.stop()
    url = app.config.database.url
    assert url is not None
    real, new = app.config.data_dir, tmp_path / "new"
    (real / "keys.db").touch()
    for data_dir, refusal in ((real, "has something in it"), (new, "has a practice")):
        config = app.config.model_copy(update={"data_dir": data_dir})
        with pytest.raises(WellioError, match=refusal):
            await fill(config, size=SIZE)
    assert not new.exists()
    db = await connect(url.get_secret_value(), data_dir=real)
    try:
        assert await rows(db, "SELECT name FROM wellio_migration WHERE plugin = 'chat'") == []
    finally:
        await db.close()


async def _forget_a_migration(tx: Tx) -> None:
    assert await tx.execute("DELETE FROM wellio_migration WHERE plugin = 'chat'")


async def test_nobody_is_shown_when_the_people_are_gone(filled: Fill) -> None:
    app, _ = await filled()
    config = app.config
    greet = await before_serving(config, asyncio.Event())
    assert "helen@practice.example" in await greet(app.app)
    await app.app.db.write(_forget_everybody)
    gone = r"are gone from (?P<name>.*wellio_.*): delete .* and empty (?P=name)$"
    with pytest.raises(WellioError, match=gone):
        await greet(app.app)


async def _forget_everybody(tx: Tx) -> None:
    assert await tx.execute("DELETE FROM auth_setup")


@pytest.mark.sqlite("it is about two names of databases")
async def test_no_logins_are_shown_for_a_database_that_is_not_there(
    empty: Callable[[], Awaitable[TestApp]],
) -> None:
    app, other = await empty(), await empty()
    await fill(app.config, size=SMALL, end_ms=END)
    practice = read(app.config)
    assert practice is not None
    config = app.config.model_copy(update={"database": other.config.database})
    write(config, replace(practice, database=database_of(config)))
    with pytest.raises(WellioError, match=r"are gone from .*wellio_"):
        await before_serving(config, asyncio.Event())


@pytest.mark.asyncio(loop_scope="module")
async def test_the_logins_of_one_database_are_not_shown_for_another(
    demo: tuple[TestApp, DemoPractice], tmp_path: Path
) -> None:
    app, _ = demo
    elsewhere = DatabaseConfig.model_validate({"url": f"sqlite:///{tmp_path}/other.db"})
    with pytest.raises(WellioError, match="lies in another database"):
        read(app.config.model_copy(update={"database": elsewhere}))


@pytest.mark.slow("it fills a demo and starts nine processes")
async def test_the_command_line_fills_once_and_serves_again_and_again(tmp_path: Path) -> None:
    small = ("--coaches", "2", "--clients", "2", "--days", "14")
    nothing = wellio("seed", cwd=tmp_path)
    assert (nothing.returncode, "wellio seed --demo" in nothing.stderr) == (2, True)
    seeded = wellio("seed", "--demo", *small, cwd=tmp_path)
    assert seeded.returncode == 0, seeded.stderr
    assert "helen@practice.example" in seeded.stdout
    again = wellio("seed", "--demo", *small, cwd=tmp_path)
    assert again.returncode == 1
    assert f"wellio serve --demo --data {tmp_path / 'data-demo'}" in again.stderr
    shown = []
    for _ in range(2):
        async with serve(tmp_path, "--demo") as server:
            shown.append(server.notices)
            await server.stop()
    real = {
        "WELLIO_MAIL__URL": "mailtos://me:quiet@mail.example?from=me@mail.example",
        "WELLIO_SECRETS__MASTER_KEY": str(DEFAULTS["secrets.master_key"]),
        "WELLIO_AUDIT__ANCHOR_FILE": str(tmp_path / "anchors"),
    }
    async with serve(tmp_path, "--data", "data-demo", env=real) as server:
        shown.append(server.notices)
        await server.stop()
    doctor = wellio("doctor", "--data", "data-demo", cwd=tmp_path, env=real)
    assert doctor.returncode == 0, doctor.stderr
    assert not (tmp_path / "anchors").exists()
    assert shown[0] == shown[1] == shown[2]
    [text] = shown[0]
    assert "no mail leaves this machine" in text
    practice = read(demo_settings(None, tmp_path / "data-demo"))
    assert practice is not None
    assert practice.password in text
    assert all(login.email in text for login in practice.logins[:4])
    assert not (tmp_path / "data").exists()
    (tmp_path / "data-demo" / "wellio.db").unlink()
    refused = wellio("serve", "--demo", "--port", "0", cwd=tmp_path)
    assert refused.returncode == 1
    folder = tmp_path / "data-demo"
    assert f"are gone from {folder}/wellio.db: delete {folder}" in refused.stderr
    assert practice.password not in refused.stdout
    age = datetime.now(UTC).timestamp() * 1000 - practice.ended_at
    assert 0 < age < 600_000, "it ends now"


@pytest.mark.sqlite("it is about files")
async def test_what_is_broken_off_is_not_taken_for_a_demo(
    empty: Callable[[], Awaitable[TestApp]],
) -> None:
    config, stopping = (await empty()).config, asyncio.Event()
    filling = asyncio.create_task(before_serving(config, stopping))
    async with asyncio.timeout(DEADLINE_S):
        while not (config.data_dir / "audit.anchors").exists():  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.01)
        stopping.set()
        with pytest.raises(WellioError, match="stopped before the demo was finished"):
            await filling
    with pytest.raises(WellioError, match="was not finished: delete"):
        await before_serving(config, asyncio.Event())
    url = config.database.url
    assert url is not None
    db = await connect(url.get_secret_value(), data_dir=config.data_dir)  # nobody holds the folder
    await db.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("seed",)])
def test_a_signal_while_it_is_filled_ends_it(
    tmp_path: Path, command: tuple[str, ...], number: signal.Signals
) -> None:
    with subprocess.Popen(
        [*WELLIO, *command, "--demo"],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            until = time.monotonic() + DEADLINE_S
            while not path_of(tmp_path / "data-demo").exists():
                assert time.monotonic() < until
                time.sleep(0.01)
            process.send_signal(number)
            _, said = process.communicate(timeout=DEADLINE_S)
        finally:
            process.kill()
    assert process.returncode == 1, said
    folder = tmp_path / "data-demo"
    assert f"wellio: stopped before the demo was finished: delete {folder} before" in said
    assert "Traceback" not in said
    again = wellio("serve", "--demo", "--port", "0", cwd=tmp_path)
    assert again.returncode == 1
    assert f"the demo in {folder} was not finished: delete {folder}" in again.stderr


def test_a_real_practice_is_not_served_as_a_demo(tmp_path: Path) -> None:
    made = wellio(
        *("user", "create", "--email", "o@practice.example", "--name", "Olga"),
        *("--role", "owner", "--password-stdin", "--data", "real", "--new"),
        cwd=tmp_path,
        stdin="ten quiet herons",
    )
    assert made.returncode == 0, made.stderr
    refused = wellio("serve", "--demo", "--data", "real", "--port", "0", cwd=tmp_path)
    assert refused.returncode == 1
    assert f"{tmp_path / 'real'} is no demo and has something in it" in refused.stderr
