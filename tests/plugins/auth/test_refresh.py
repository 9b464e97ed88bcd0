"""Refreshing over HTTP: lost answers, races, thieves, ages, restarts, on both engines."""

import asyncio

import pytest

from tests.plugins.auth.moves import refresh, works
from wellio import ManualClock
from wellio.testing import TestApp
from wellio.testing.plugin import MakeUser

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

DAY_MS = 86_400_000


async def test_a_lost_answer_is_given_again_at_any_age(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user = await make_user("owner")
    first = (await refresh(app, user.refresh_token, "one", status=200)).data
    assert first["user"] == {"id": user.id, "email": user.email, "name": user.name, "role": "owner"}
    assert first["refreshToken"] != user.refresh_token
    clock.advance(20 * DAY_MS)
    again = (await refresh(app, user.refresh_token, "one", status=200)).data
    assert again["refreshToken"] == first["refreshToken"]
    await refresh(app, again["refreshToken"], "two", status=200)


async def test_two_tabs_race_and_nothing_is_revoked(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner")
    child = (await refresh(app, user.refresh_token, "one", status=200)).data["refreshToken"]
    lost = await refresh(app, user.refresh_token, "two", status=409)
    assert lost.data["code"] == "refresh_in_progress"
    await refresh(app, child, "three", status=200)


async def test_a_thief_ends_the_session_at_once(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user = await make_user("owner")
    child = (await refresh(app, user.refresh_token, "one", status=200)).data["refreshToken"]
    assert await works(app, user)
    clock.advance(10_000)
    with app.bus.expect("auth.session_revoked"):
        theft = await refresh(app, user.refresh_token, "thief", status=401)
    assert theft.data["code"] == "refresh_token_reused"
    assert not await works(app, user)
    afterwards = await refresh(app, child, "two", status=401)
    assert afterwards.data["code"] == "invalid_refresh_token"


async def test_a_forged_token_is_a_plain_401(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner")
    token = user.refresh_token
    for forged in (
        token[:-1] + ("0" if token[-1] != "0" else "1"),
        token.replace("_0_", "_1_", 1),
        token.upper(),
        token + "\n",
        f"wr_{token}",
        "",
    ):
        reply = await refresh(app, forged, "one", status=401)
        assert reply.data["code"] == "invalid_refresh_token"
    await refresh(app, token, "one", status=200)


async def test_an_access_token_refreshes_nothing(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner")
    await refresh(app, user.token, "one", status=401)


async def test_request_ids_have_a_form(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner")
    for request_id in ("", "short", "x" * 15, "x" * 65, "with a space here", "with-an-ümlaut-x"):
        body = {"refreshToken": user.refresh_token, "requestId": request_id}
        reply = await app.api.post("/auth/refresh", body, status=422)
        assert [error["pointer"] for error in reply.data["errors"]] == ["/requestId"]


@pytest.mark.both_engines("what happens at once is the point")
async def test_fifty_at_once_make_one_child(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner")
    replies = await asyncio.gather(
        *(refresh(app, user.refresh_token, f"request-{n % 25}") for n in range(50))
    )
    answers = {r.data["refreshToken"] for r in replies if r.status == 200}
    assert len(answers) == 1
    assert sorted({reply.status for reply in replies}) == [200, 409]
    assert sum(reply.status == 200 for reply in replies) == 2
    await refresh(app, answers.pop(), "later", status=200)


async def test_a_session_slides_and_ends(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    user = await make_user("owner")
    token = user.refresh_token
    for number in range(6):  # 6 x 29 days: each time in time
        clock.advance(29 * DAY_MS)
        token = (await refresh(app, token, f"{number}", status=200)).data["refreshToken"]
    clock.advance(6 * DAY_MS)  # the 180th day
    await refresh(app, token, "last", status=401)


async def test_an_idle_session_ends(app: TestApp, make_user: MakeUser, clock: ManualClock) -> None:
    user = await make_user("owner")
    clock.advance(30 * DAY_MS)
    await refresh(app, user.refresh_token, "late", status=401)


async def test_a_restart_forgets_nothing(app: TestApp, make_user: MakeUser) -> None:
    kept, ended = await make_user("owner"), await make_user("coach")
    child = (await refresh(app, kept.refresh_token, "one", status=200)).data["refreshToken"]
    await app.api.as_(ended).post("/auth/logout", status=204)
    await app.restart()
    assert await works(app, kept)
    assert not await works(app, ended)
    await refresh(app, ended.refresh_token, "one", status=401)
    again = await refresh(app, kept.refresh_token, "one", status=200)
    assert again.data["refreshToken"] == child


async def test_only_hashes_are_stored(app: TestApp, make_user: MakeUser) -> None:
    user = await make_user("owner")
    child = (await refresh(app, user.refresh_token, "one", status=200)).data["refreshToken"]
    rows = await app.app.db.fetch_all("SELECT * FROM auth_session")
    stored = " ".join(str(value) for row in rows for value in tuple(row))
    for token in (user.refresh_token, child):
        _, _, _, secret, tag = token.split("_")
        assert secret not in stored
        assert tag not in stored
