"""What is stored about somebody is handed out without secrets, and taken away whole."""

import pytest
from wellio_auth.personal_data import AccountData

from tests.plugins.auth.moves import refresh, works
from wellio import Conflict, ManualClock
from wellio.testing import TestApp
from wellio.testing.plugin import MakeUser

pytestmark = pytest.mark.sqlite("tests/contract calls every endpoint on both")

PASSWORD = "plum kettle orbit"


async def test_export_and_erasure(app: TestApp, make_user: MakeUser) -> None:
    owner, coach = await make_user("owner"), await make_user("coach")
    invited = await app.api.as_(coach).post(
        "/invitations", {"email": "new@example.com", "role": "client"}, status=201
    )
    token = invited.data["link"].partition("#token=")[2]
    redeemed = await app.api.post(
        "/invitations/redeem", {"token": token, "name": "New", "password": PASSWORD}, status=201
    )
    user_id, refresh_token = redeemed.data["user"]["id"], redeemed.data["refreshToken"]
    data = AccountData(app.app)
    exported = await data.export(user_id)
    assert set(exported) == set(data.tables)
    assert [row["email"] for row in exported["auth_user"]] == ["new@example.com"]
    assert {table: len(rows) for table, rows in exported.items()} == {
        "auth_user": 1,
        "auth_session": 1,
        "auth_api_key": 0,  # the staff's alone; test_api_keys.py ends one so
        "auth_invitation": 1,
    }
    assert "$2b$" not in str(exported)

    with app.bus.expect("auth.session_revoked"):
        await app.app.db.write(data.erase, user_id)
    await refresh(app, refresh_token, "one", status=401)
    header = {"Authorization": f"Bearer {redeemed.data['accessToken']}"}
    await app.api.get("/me", headers=header, status=401)
    for table in ("auth_invitation", "auth_session"):
        rows = await app.app.db.fetch_all(f"SELECT * FROM {table}")
        assert user_id not in str([tuple(row) for row in rows])
    assert await data.export(user_id) == {}
    assert await works(app, owner)
    with pytest.raises(Conflict, match="owner"):
        await app.app.db.write(data.erase, owner.id)


async def test_a_tombstone_says_nothing_and_can_do_nothing(
    app: TestApp, make_user: MakeUser, clock: ManualClock
) -> None:
    db = app.app.db
    owner, coach = await make_user("owner"), await make_user("coach")
    invitation = {"email": "guest@example.com", "role": "client"}
    invited = await app.api.as_(coach).post("/invitations", invitation, status=201)
    redemption = {
        "token": invited.data["link"].partition("#token=")[2],
        "name": "Guest",
        "password": PASSWORD,
    }
    await app.api.post("/invitations/redeem", redemption, status=201)

    await app.erase(coach.id)
    await app.erase(coach.id)  # a second time finds nothing to do
    (row,) = await db.fetch_all("SELECT * FROM auth_user WHERE id = :id", id=coach.id)
    stored = dict(zip(row.keys(), row, strict=True))
    assert {name for name, value in stored.items() if value is not None} == {
        *("id", "role", "status", "created_at", "updated_at", "erased_at")
    }
    assert (row["status"], row["erased_at"]) == ("erased", clock.now_ms())
    (seen,) = await db.fetch_all("SELECT name, email FROM auth_v_user WHERE status = 'erased'")
    assert tuple(seen) == (None, None)

    login = {"email": coach.email, "password": coach.password}
    await app.api.post("/auth/login", login, status=401)
    assert not await works(app, coach)
    api = app.api.as_(owner)
    await api.get(f"/users/{coach.id}", status=404)
    await api.patch(f"/users/{coach.id}", {"status": "active"}, status=404)
    listed = (await api.get("/users", status=200)).data["items"]
    assert sorted(item["role"] for item in listed) == ["client", "owner"]
    kept = (await api.get(f"/invitations/{invited.data['id']}", status=200)).data
    assert kept["invitedBy"] == coach.id

    again = {"email": coach.email.upper(), "role": "coach"}
    anew = await api.post("/invitations", again, status=201)
    redemption |= {"token": anew.data["link"].partition("#token=")[2]}
    redeemed = await app.api.post("/invitations/redeem", redemption, status=201)
    assert redeemed.data["user"]["id"] != coach.id
