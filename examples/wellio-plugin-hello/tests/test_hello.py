"""The plugin from outside, on both engines: `pytest` here, once it is installed beside Wellio."""

from dataclasses import dataclass

import pytest

from wellio import ManualClock
from wellio.testing import MakeUser, Scenario, Sockets, StartApp, TestApp, User, scenario

HOUR_MS = 3_600_000
MONDAY_MS = 1_790_582_400_000  # 28 September 2026, 08:00 UTC


@dataclass(frozen=True)
class Practice:
    """Two coaches with a client each: what one does must stay hidden from the other pair."""

    app: TestApp
    clock: ManualClock
    people: dict[str, User]
    ids: dict[str, str]

    async def note(self, name: str, text: str) -> str:
        """Have a client note a win; return its id."""
        path = f"/clients/{self.ids[name]}/wins"
        api = self.app.api.as_(self.people[name])
        return str((await api.post(path, {"text": text}, status=201)).data["id"])


@pytest.fixture
async def practice(wellio_app: StartApp, make_user: MakeUser) -> Practice:
    clock = ManualClock(MONDAY_MS - 24 * HOUR_MS)
    app = await wellio_app(clock=clock, settings={"plugins.hello.max_length": 80})
    carl, dana = await make_user("coach", name="Carl"), await make_user("coach", name="Dana")
    people = {
        "carl": carl,
        "mia": await make_user("client", coach=carl),
        "dana": dana,
        "noah": await make_user("client", coach=dana),
    }
    practice = Practice(app, clock, people, {})
    for name in ("mia", "noah"):
        practice.ids[name] = await app.client_id(people[name])
    practice.ids["win"] = await practice.note("mia", "Took the stairs.")
    return practice


@scenario(
    Scenario("a client reads hers", "GET", "/clients/{mia}/wins", as_="mia", contains=("stairs",)),
    Scenario("her coach does", "GET", "/clients/{mia}/wins", as_="carl", contains=("stairs",)),
    Scenario(
        "a client notes one",
        "POST",
        "/clients/{mia}/wins",
        as_="mia",
        body={"text": " Slept well. "},
        status=201,
        contains=('"text":"Slept well."',),
        events=("hello.win_noted",),
    ),
    Scenario(
        "an empty one is refused by name",
        "POST",
        "/clients/{mia}/wins",
        as_="mia",
        body={"text": "  "},
        status=422,
        contains=("/text",),
    ),
    Scenario(
        "one that is too long as well, and not sent back",
        "POST",
        "/clients/{mia}/wins",
        as_="mia",
        body={"text": "longer" * 14},
        status=422,
        contains=("/text", "at most 80 characters"),
        absent=("longer",),
    ),
    Scenario(
        "who noted it takes it back",
        "DELETE",
        "/clients/{mia}/wins/{win}",
        as_="mia",
        status=204,
        events=("hello.win_withdrawn",),
    ),
    Scenario("nor under another name", "DELETE", "/clients/{noah}/wins/{win}", "noah", status=404),
)
async def test_requests(case: Scenario, practice: Practice) -> None:
    await case.run(practice.app, practice.people, practice.ids)


async def test_the_list_is_turned_page_by_page(practice: Practice) -> None:
    second = await practice.note("mia", "Walked home.")
    mia, path = practice.app.api.as_(practice.people["mia"]), f"/clients/{practice.ids['mia']}/wins"
    first = (await mia.get(path, query={"limit": 1}, status=200)).data
    assert [win["id"] for win in first["items"]] == [second]
    rest = (await mia.get(path, query={"limit": 1, "cursor": first["nextCursor"]})).data
    assert [win["id"] for win in rest["items"]] == [practice.ids["win"]]
    assert rest["nextCursor"] is None


async def test_the_coach_hears_of_it_at_once(practice: Practice, sockets: Sockets) -> None:
    carl = await sockets.plain(practice.app.url, practice.people["carl"])
    dana = await sockets.plain(practice.app.url, practice.people["dana"])
    mia = await sockets.plain(practice.app.url, practice.people["mia"])
    body = {"clientId": practice.ids["mia"], "text": "Ran 5 km."}
    answer = await mia.call("note_win", body)
    assert answer["ok"], answer
    about = {"clientId": practice.ids["mia"], "winId": answer["win"]["id"]}
    assert await carl.receive("win_noted") == about
    refused = await dana.call("note_win", body)
    assert refused["error"]["code"] == "not_found"
    assert dana.received == []
    assert mia.received == []  # her own device knows


async def test_the_tally_follows_the_events(practice: Practice) -> None:
    mia = practice.app.api.as_(practice.people["mia"])
    path = f"/clients/{practice.ids['mia']}"
    await practice.note("mia", "Cooked.")
    await practice.app.settled()
    assert (await mia.get(f"{path}/win-count", status=200)).data["wins"] == 2
    await mia.delete(f"{path}/wins/{practice.ids['win']}", status=204)
    await practice.app.settled()
    assert (await mia.get(f"{path}/win-count", status=200)).data["wins"] == 1
    metrics = (await practice.app.api.get("//metrics", status=200)).content.decode()
    assert "wellio_hello_wins_total 2.0" in metrics


async def test_health_says_when_the_tally_is_behind(
    wellio_app: StartApp, make_user: MakeUser
) -> None:
    clock = ManualClock(MONDAY_MS)
    app = await wellio_app(clock=clock, workers=False)
    mia = await make_user("client")
    path = f"/clients/{await app.client_id(mia)}/wins"
    await app.api.as_(mia).post(path, {"text": "Took the stairs."}, status=201)
    clock.advance(2 * 60_000)

    async def tally() -> str:
        health = (await app.api.get("//health", status=200)).data
        return str(health["plugins"]["hello"]["checks"]["tally"]["status"])

    assert await tally() == "degraded"
    await app.settled()
    assert await tally() == "ok"


async def test_a_coach_gets_one_mail_a_week(practice: Practice) -> None:
    await practice.note("mia", "Cooked.")
    practice.clock.advance(25 * HOUR_MS)
    await practice.app.settled()
    mails = await practice.app.mails()
    assert [(mail.to, mail.subject) for mail in mails] == [
        (practice.people["carl"].email, "Wins of the week: 2")
    ]
    assert "Cooked" not in mails[0].text
    practice.clock.advance(7 * 24 * HOUR_MS)
    await practice.app.settled()
    assert len(await practice.app.mails()) == 1


async def test_what_is_about_a_person_goes_with_them(practice: Practice) -> None:
    app, mia, carl, noah = practice.app, *(practice.people[it] for it in ("mia", "carl", "noah"))
    path = f"/clients/{practice.ids['mia']}/wins"
    await app.api.as_(carl).post(path, {"text": "She smiled."}, status=201)
    await practice.note("noah", "Rested.")
    await app.settled()
    exported = await app.export(mia.id)
    assert [row["body"] for row in exported["hello_win"]] == ["Took the stairs.", "She smiled."]
    assert exported["hello_tally"][0]["wins"] == 2

    await app.erase(carl.id)
    items = (await app.api.as_(mia).get(path, status=200)).data["items"]
    assert [win["authorId"] for win in items] == [None, mia.id]
    await app.erase(mia.id)
    exported = await app.export(mia.id)
    assert (exported["hello_win"], exported["hello_tally"]) == ([], [])
    assert [row["body"] for row in (await app.export(noah.id))["hello_win"]] == ["Rested."]
    assert await app.unanswered() == set()
