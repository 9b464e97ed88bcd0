"""What an older version stored is found, sorted and counted as if it had been made today."""

from tests.plugins.practice.conftest import Practice
from wellio import Tx
from wellio.testing import MakeUser

#: Takes the database back to before: the columns, and that anything ran since.
_BACK = (
    "DROP INDEX auth_user_name",
    "ALTER TABLE auth_user DROP COLUMN name_key",
    "ALTER TABLE practice_client DROP COLUMN email_key",
    "ALTER TABLE practice_tag DROP COLUMN name_key",
    "CREATE INDEX auth_user_name ON auth_user (name, id) WHERE erased_at IS NULL",
    "UPDATE practice_client SET name_ci = 'old', email_ci = 'zoe@strasse.example'",
    "UPDATE auth_user SET email_ci = 'anne@strasse.example' WHERE email LIKE 'anne@%'",
    "DELETE FROM wellio_migration WHERE name LIKE '%0002_keys'",
)


async def test_what_is_stored_gets_the_keys_of_today(
    practice: Practice, make_user: MakeUser
) -> None:
    app = practice.app
    coach = await make_user("coach", name="\u00c4nne", email="anne@Stra\u00dfe.example")
    anne, owner = app.api.as_(coach), app.api.as_(practice.people["owner"])
    for name in ("Zimmer", "\u00c4rger"):
        await anne.post("/clients", {"name": name, "email": "zoe@Stra\u00dfe.example"}, status=201)
        await anne.post("/tags", {"name": name}, status=201)

    async def take_back(tx: Tx) -> None:
        for statement in _BACK:
            await tx.execute(statement)

    await app.app.db.write(take_back)
    await app.restart()
    anne, owner = app.api.as_(coach), app.api.as_(practice.people["owner"])
    found = (await anne.get("/clients", query={"q": "@stra\u00dfe"}, status=200)).data["items"]
    assert [it["name"] for it in found] == ["\u00c4rger", "Zimmer"]
    tags = (await anne.get("/tags", status=200)).data["items"]
    assert [it["name"] for it in tags] == ["\u00c4rger", "Zimmer"]
    users = (await owner.get("/users", query={"role": "coach"}, status=200)).data["items"]
    assert [it["name"] for it in users] == ["\u00c4nne", "Carl", "Dana"]
    login = {"email": "ANNE@xn--strae-oqa.example", "password": coach.password}
    await app.api.post("/auth/login", login, status=200)
