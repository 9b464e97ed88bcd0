"""The plugin from outside, on both engines: `pytest` here, once it is installed beside Wellio."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from wellio_plugin_hello import Badge
from wellio_plugin_hello.ports import CountWins

from wellio import ManualClock, Plugin, hookimpl
from wellio.testing import MakeUser, Scenario, Sockets, StartApp, TestApp, User, race, scenario

HOUR_MS = 3_600_000
SETTINGS = {"plugins.hello.max_length": 80, "plugins.hello.picture_bytes": 100}
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

    def path(self, name: str, win: str) -> str:
        """Return where a client's win is."""
        return f"/clients/{self.ids[name]}/wins/{self.ids[win]}"


@pytest.fixture
async def practice(wellio_app: StartApp, make_user: MakeUser) -> Practice:
    clock = ManualClock(MONDAY_MS - 24 * HOUR_MS)
    app = await wellio_app(clock=clock, settings=SETTINGS)
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
        "who noted it says it better",
        "PATCH",
        "/clients/{mia}/wins/{win}",
        as_="mia",
        body={"text": "Took the stairs, twice."},
        contains=("twice",),
        events=("hello.win_changed",),
    ),
    Scenario("what changes nothing is no event", "PATCH", "/clients/{mia}/wins/{win}", "mia", {}),
    Scenario("her coach leaves it as it is", "PATCH", "/clients/{mia}/wins/{win}", "carl", {}, 403),
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


async def test_of_eight_changes_of_one_state_one_wins(practice: Practice) -> None:
    mia, path = practice.app.api.as_(practice.people["mia"]), practice.path("mia", "win")
    await race(mia, path, [{"text": f"Took {floors} floors."} for floors in range(8)])


async def test_a_picture_stays_as_long_as_its_win(practice: Practice) -> None:
    app, mia, path = practice.app, practice.people["mia"], practice.path("mia", "win")
    api = app.api.as_(mia)
    await api.get(f"{path}/picture", status=404)
    for content in (b"first", b"second"):
        await api.put(f"{path}/picture", content=content, status=204)
    await api.put(f"{path}/picture", content=b"x" * 101, status=413)
    await app.settled()
    assert (await api.get(f"{path}/picture", status=200)).content == b"second"
    assert [file.size async for file in app.app.storage.list()] == [len(b"second")]
    await api.delete(path, status=204)
    await app.settled()
    assert [file.key async for file in app.app.storage.list()] == []


async def test_a_win_is_told_of_in_the_chat(practice: Practice) -> None:
    mia, carl = (practice.app.api.as_(practice.people[name]) for name in ("mia", "carl"))
    new = {"kind": "direct", "memberIds": [practice.people["carl"].id]}
    talk = (await mia.post("/conversations", new, status=201)).data["id"]
    share = {"conversationId": talk}
    await mia.post(practice.path("mia", "win") + "/share", share, status=204)
    told = (await carl.get(f"/conversations/{talk}/messages", status=200)).data["items"]
    assert [message["content"] for message in told] == ["Took the stairs."]


@pytest.mark.sqlite("no SQL is new here")
async def test_there_is_no_telling_without_a_chat(wellio_app: StartApp) -> None:
    app = await wellio_app(settings={"loader.disabled": ["chat", "demo"]})
    paths = {path for path in app.openapi["paths"] if "/wins/" in path}
    assert {path.rpartition("/")[2] for path in paths} == {"{winId}", "picture"}


class Streaks:
    """Another plugin, which brings a badge."""

    PLUGIN = Plugin("streaks", "1", requires=("hello",))

    @hookimpl
    def register_badges(self) -> Sequence[Badge]:
        return [Badge("streak", wins=2), Badge("long streak", wins=3)]


async def test_wins_stand_on_the_timeline(practice: Practice) -> None:
    second = await practice.note("mia", "Walked home.")
    carl, path = practice.app.api.as_(practice.people["carl"]), practice.ids["mia"]
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(2):
        query = {"kind": "hello.win_noted", "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await carl.get(f"/clients/{path}/timeline", query=query, status=200)).data
        seen += [item["id"] for item in page["items"]]
        cursor = page["nextCursor"]
    assert (seen, cursor) == ([second, practice.ids["win"]], None)


@pytest.mark.sqlite("no SQL is new here")
async def test_other_plugins_bring_badges(wellio_app: StartApp, make_user: MakeUser) -> None:
    plugins = [importlib.import_module(f"wellio_{name}") for name in ("auth", "practice")]
    hello = importlib.import_module("wellio_plugin_hello")
    app = await wellio_app(plugins=[*plugins, hello, Streaks()])
    mia = await make_user("client")
    path = f"/clients/{await app.client_id(mia)}"
    assert (await app.api.as_(mia).get(f"{path}/win-count", status=200)).data["badges"] == []
    for text in ("Cooked.", "Slept."):
        await app.api.as_(mia).post(f"{path}/wins", {"text": text}, status=201)
    await app.settled()
    count = (await app.api.as_(mia).get(f"{path}/win-count", status=200)).data
    assert count["badges"] == ["first", "streak"]
    told = await app.app.service(CountWins).count(await app.client_id(mia))
    assert (told.wins, told.badges) == (2, count["badges"])


async def test_the_dashboard_shows_the_last_of_those_whom_one_may_see(practice: Practice) -> None:
    await practice.note("noah", "Rested.")
    for name, shown in {"carl": ["Took the stairs."], "dana": ["Rested."]}.items():
        api = practice.app.api.as_(practice.people[name])
        wins = (await api.get("/dashboard", status=200)).data["wins"]
        assert [win["text"] for win in wins] == shown


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


@pytest.mark.sqlite("its statements are those of the subscriber")
async def test_a_command_counts_anew(wellio_app: StartApp, make_user: MakeUser) -> None:
    app = await wellio_app(workers=False)
    mia = await make_user("client")
    path = f"/clients/{await app.client_id(mia)}"
    await app.api.as_(mia).post(f"{path}/wins", {"text": "Cooked."}, status=201)
    assert await app.command("hello recount") == {"clients": 1}
    count = (await app.api.as_(mia).get(f"{path}/win-count", status=200)).data
    assert (count["wins"], count["badges"]) == (1, ["first"])


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
    win = practice.path("mia", "win")
    await app.api.as_(mia).put(f"{win}/picture", content=b"stairs", status=204)
    await app.settled()
    exported = await app.export(mia.id)
    assert [row["text"] for row in exported["hello_win"]] == ["Took the stairs.", "She smiled."]
    assert exported["hello_tally"][0]["wins"] == 2

    await app.erase(carl.id)
    items = (await app.api.as_(mia).get(path, status=200)).data["items"]
    assert [win["authorId"] for win in items] == [None, mia.id]
    await app.erase(mia.id)
    exported = await app.export(mia.id)
    assert (exported["hello_win"], exported["hello_tally"]) == ([], [])
    assert [row["text"] for row in (await app.export(noah.id))["hello_win"]] == ["Rested."]
    await app.settled()
    assert [file.key async for file in app.app.storage.list()] == []
    assert await app.unanswered() == set()
