"""From an invitation to the mail server: nothing is lost, and nothing is told to anybody else."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.core.http.small_app import logged
from tests.core.mail.post_office import PostOffice, drop, post_office, take_and_drop
from tests.plugins.auth.test_invitations import invite, redeem
from wellio import ManualClock
from wellio.db.catalogue import columns
from wellio.testing import DEADLINE_S, TestApp, User
from wellio.testing.plugin import MakeUser, StartApp

START_MS = 1_780_000_000_000
FIVE_DAYS_MS = 5 * 86_400_000


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START_MS)


@pytest.fixture
async def app(wellio_app: StartApp, office: PostOffice, clock: ManualClock) -> TestApp:
    """Return an app with all plugins that sends when the test says so."""
    settings = {
        "mail.url": office.url(),
        "mail.timeout_s": DEADLINE_S,
        "plugins.auth.bcrypt_cost": 10,
    }
    return await wellio_app(settings=settings, clock=clock, workers=False)


@pytest.fixture
async def owner(app: TestApp, make_user: MakeUser) -> User:
    return await make_user("owner", name="Olga")


async def state_of_mail(app: TestApp) -> str:
    [row] = await app.app.db.fetch_all("SELECT state, last_error FROM wellio_job")
    return f"{row['state']} {row['last_error']}"


async def test_an_invitation_reaches_exactly_whom_it_is_for(
    app: TestApp, office: PostOffice, owner: User
) -> None:
    practice = {"name": "Stille Wässer", "timeZone": "Europe/Berlin"}
    await app.api.as_(owner).patch("/practice", practice, status=200)
    invitation = await invite(app, owner)
    await app.app.bus.settled()
    [mail] = office.mails
    assert mail.recipients == ["new@example.com"]
    assert mail.message["To"] == "new@example.com"
    assert mail.message["From"] == "Stille Wässer <desk@practice.example>"
    assert mail.message["Subject"] == "You are invited to Stille Wässer by Olga"
    assert invitation.data["link"] in mail.text
    assert "until 4 June 2026, 22:26 (Europe/Berlin)" in mail.text
    await redeem(app, invitation)


@pytest.mark.parametrize(
    "act, reason",
    [
        ("451 4.3.0 anna is busy", "451 4.3.0"),
        ("550 5.7.1 who are you?", "550 5.7.1"),  # said to the sender: of no one recipient
        (drop, "SMTPServerDisconnected"),
    ],
)
async def test_what_may_pass_is_tried_again_until_it_has(
    app: TestApp, office: PostOffice, owner: User, clock: ManualClock, act: object, reason: str
) -> None:
    office.at["MAIL"] = act  # type: ignore[assignment]  # the table's
    await invite(app, owner)
    waits = []
    for attempt in range(1, 5):
        await app.app.bus.settled()
        assert office.tries["MAIL"] == attempt
        assert await state_of_mail(app) == f"waiting MailFailed {reason}"
        [row] = await app.app.db.fetch_all("SELECT due_at FROM wellio_job")
        waits.append(row["due_at"] - clock.now_ms())
        clock.set(row["due_at"])
    assert all(2**n * 1000 <= wait <= 2**n * 2000 for n, wait in enumerate(waits))
    health = (await app.api.get("//health", status=200)).data
    assert health["status"] == health["checks"]["mail"]["status"] == "degraded"
    assert reason not in health["checks"]["mail"]["reason"]
    office.at.clear()
    await app.app.bus.settled()
    assert len(office.mails) == 1
    health = (await app.api.get("//health", status=200)).data
    assert health["checks"]["mail"]["status"] == "ok"  # of the whole, a slow machine has a say
    assert await app.app.db.fetch_all("SELECT id FROM wellio_job") == []


@pytest.mark.parametrize("engine", ["sqlite"])  # the other one takes its time
async def test_a_server_that_stays_away_ends_in_a_dead_job_after_days(
    app: TestApp, office: PostOffice, owner: User, clock: ManualClock
) -> None:
    office.at["MAIL"] = "451 4.3.0 no"
    await invite(app, owner)
    while (await app.app.jobs.status())["dead"] == 0:
        await app.app.bus.settled()
        [row] = await app.app.db.fetch_all("SELECT due_at FROM wellio_job")
        clock.set(row["due_at"])
    tried_for = clock.now_ms() - START_MS
    assert FIVE_DAYS_MS / 2 < tried_for < FIVE_DAYS_MS
    assert await state_of_mail(app) == "dead MailFailed 451 4.3.0"


async def test_a_refused_recipient_is_dead_at_once_with_its_reason(
    app: TestApp, office: PostOffice, owner: User
) -> None:
    office.at["RCPT"] = "550 5.1.1 new@example.com is unknown"
    await invite(app, owner)
    await app.app.bus.settled()
    shown = await app.command("outbox")
    [dead] = shown["dead"]
    assert (dead["kind"], dead["attempts"]) == ("auth.mail_invitation", 1)
    assert dead["last_error"] == "MailRefused 550 5.1.1"
    assert "new@example.com" not in str(shown)
    office.at.clear()
    assert (await app.command("outbox", retry=True))["retried"] == 1
    await app.app.bus.settled()
    assert len(office.mails) == 1


async def test_a_yes_that_got_lost_makes_a_duplicate_that_can_be_told(
    app: TestApp, office: PostOffice, owner: User, clock: ManualClock
) -> None:
    office.at["DATA"] = take_and_drop
    await invite(app, owner)
    await app.app.bus.settled()
    office.at.clear()
    clock.advance(2000)
    await app.app.bus.settled()
    assert len(office.mails) == 2
    assert len({mail.message["Message-ID"] for mail in office.mails}) == 1


async def test_a_mail_server_that_hangs_holds_nobody_up(
    wellio_app: StartApp, make_user: MakeUser, office: PostOffice
) -> None:
    release = asyncio.Event()

    async def wait(_: object) -> str | None:
        await release.wait()
        return None

    office.at["RCPT"] = wait
    app = await wellio_app(settings={"mail.url": office.url(), "mail.timeout_s": 60})
    coach = await make_user("coach", app=app)
    client = await make_user("client", coach=coach, app=app)
    for n in range(12):
        await invite(app, coach, email=f"{n}@example.com")
    await office.wait_for(lambda: office.tries["RCPT"] == 8)  # every place for a job is taken
    direct = {"kind": "direct", "memberIds": [client.id]}
    chat = (await app.api.as_(coach).post("/conversations", direct, status=201)).data["id"]
    for n in range(20):
        path = f"/conversations/{chat}/messages"
        await app.api.as_(coach).post(path, {"content": f"{n}"}, status=201)
    assert office.mails == []
    release.set()
    await app.app.bus.settled()
    assert sorted(mail.recipients[0] for mail in office.mails) == sorted(
        f"{n}@example.com" for n in range(12)
    )


async def test_no_word_of_a_mail_is_anywhere_else(
    app: TestApp, office: PostOffice, owner: User, clock: ManualClock
) -> None:
    with logged("debug") as log:
        refusals = ("550 5.1.1 new@example.com, invited to", "451 invited to", "")
        for number, reply in enumerate(refusals):
            office.at = {"RCPT": reply} if reply else {}
            link = (await invite(app, owner, email=f"{number}new@example.com")).data["link"]
            await app.app.bus.settled()
    clock.advance(10_000)
    await app.app.bus.settled()
    token = link.partition("#token=")[2]
    [mail, _] = office.mails
    assert token in mail.text
    ours = str([line for line in log.all() if line["logger"] != "mail.log"])  # the test's server's
    canaries = (token, "invited to", "new@example.com", "Olga")
    assert [word for word in canaries if word in ours] == []
    rows = {
        table: str([tuple(row) for row in await app.app.db.fetch_all(f"SELECT * FROM {table}")])
        for table in await columns(app.app.db)
    }
    assert "auth.mail_invitation" in rows["wellio_job"]  # the dead one: this looks where it should
    for word in (token, "invited to"):
        assert [table for table, text in rows.items() if word in text] == []
    for table in ("wellio_job", "wellio_event"):
        assert not any(word in rows[table] for word in canaries)
