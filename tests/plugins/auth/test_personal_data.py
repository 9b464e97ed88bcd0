"""What is stored about somebody is handed out without secrets, and taken away whole."""

import pytest
from wellio_auth.personal_data import AccountData

from tests.plugins.auth.moves import refresh, works
from wellio import Conflict
from wellio.testing import TestApp
from wellio.testing.plugin import MakeUser

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
    for table in ("auth_user", "auth_invitation", "auth_session"):
        rows = await app.app.db.fetch_all(f"SELECT * FROM {table}")
        assert user_id not in str([tuple(row) for row in rows])
        assert "new@example.com" not in str([tuple(row) for row in rows])
    assert await data.export(user_id) == {}
    assert await works(app, owner)
    with pytest.raises(Conflict, match="owner"):
        await app.app.db.write(data.erase, owner.id)
