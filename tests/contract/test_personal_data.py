"""No table knows a person without somebody who hands that out and takes it away.

The schema is asked, not the plugins: a table that refers to people must be named by a registered
`PersonalData`, and once all of them have erased somebody, nothing of that person is left.
"""

from collections.abc import Collection
from typing import Any

import pytest

from wellio import Database, Tx, Wellio
from wellio.testing import MakeUser, StartApp, TestApp

PEOPLE = {"auth_user", "practice_client"}
PERSONAL_COLUMNS = {
    *("user_id", "client_id", "coach_id", "owner_id", "member_id", "actor_id"),
    *("sender_id", "author_id", "created_by", "updated_by", "invited_by", "redeemed_by"),
}
CANARY = "the canary of Zoe Quibble"
#: Where an erased person's id stays, and why; it leads to nobody any more.
IDS_REMAIN = {
    "wellio_event": "what happened, in ids alone",
    "wellio_parked": "the same, of a subscriber that failed",
    "wellio_audit": "who did what, in ids alone",
    "wellio_audit_pending": "the same, of the last moment",
    "chat_event": "others' devices must learn who left, and whose receipt a number was",
    "chat_conversation": "the pair's key, so that the other's conversation stays as it is",
}

_COLUMNS = {
    "sqlite": """
SELECT m.name AS table_name, c.name AS column_name
FROM sqlite_master m, pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!'
""",
    "postgres": """
SELECT c.table_name, c.column_name
FROM information_schema.columns c
JOIN information_schema.tables t ON (t.table_schema, t.table_name) = (c.table_schema, c.table_name)
WHERE t.table_type = 'BASE TABLE' AND t.table_schema = 'public'
""",
}
_REFERENCES = {
    "sqlite": """
SELECT m.name AS table_name, f."table" AS target
FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
""",
    "postgres": """
SELECT c.table_name, u.table_name AS target
FROM information_schema.table_constraints c
JOIN information_schema.constraint_column_usage u ON u.constraint_name = c.constraint_name
WHERE c.constraint_type = 'FOREIGN KEY'
""",
}


async def columns(db: Database) -> dict[str, set[str]]:
    """Return every table's columns."""
    found: dict[str, set[str]] = {}
    for row in await db.fetch_all(_COLUMNS[db.engine]):
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    return found


async def tables_about_people(db: Database) -> set[str]:
    """Return the tables that refer to people, by foreign key or by a column's name."""
    references = await db.fetch_all(_REFERENCES[db.engine])
    by_key = {row["table_name"] for row in references if row["target"] in PEOPLE}
    by_name = {name for name, has in (await columns(db)).items() if has & PERSONAL_COLUMNS}
    return PEOPLE | by_key | by_name


def unanswered(app: Wellio, tables: Collection[str]) -> set[str]:
    """Return the tables that nobody answers for; what the core keeps in ids alone needs nobody."""
    ids_alone = {table for table in IDS_REMAIN if table.startswith("wellio_")}
    return set(tables) - ids_alone - {t for item in app.personal_data for t in item.tables}


async def traces(db: Database, *words: str) -> set[str]:
    """Return the tables, the core's too, that hold one of some words anywhere."""
    found = set()
    for table in await columns(db):
        rows = await db.fetch_all(f"SELECT * FROM {table}")
        text = str([tuple(row) for row in rows])
        if any(word in text for word in words):
            found.add(table)
    return found


@pytest.fixture
async def app(wellio_app: StartApp) -> TestApp:
    return await wellio_app()


async def test_every_table_about_people_has_somebody_who_answers_for_it(app: TestApp) -> None:
    tables = await tables_about_people(app.app.db)
    assert {"auth_session", "practice_assignment", "chat_message", "chat_event"} <= tables
    assert {"wellio_event", "wellio_audit", "wellio_audit_detail"} <= tables
    assert unanswered(app.app, tables) == set()
    named = {table for item in app.app.personal_data for table in item.tables}
    assert named <= (await columns(app.app.db)).keys()


async def test_a_plugin_that_forgets_its_table_is_found(app: TestApp) -> None:
    async def diary(tx: Tx) -> None:
        await tx.execute("CREATE TABLE diary_page (id TEXT, writer TEXT REFERENCES auth_user (id))")
        await tx.execute("CREATE TABLE diary_note (id TEXT, author_id TEXT)")
        await tx.execute("CREATE TABLE diary_colour (id TEXT)")
        await tx.execute("CREATE TABLE wellio_diary (id TEXT, user_id TEXT)")

    await app.app.db.write(diary)
    tables = await tables_about_people(app.app.db)
    assert unanswered(app.app, tables) == {"diary_page", "diary_note", "wellio_diary"}


@pytest.mark.parametrize("role", ["client", "coach"])
async def test_nothing_of_an_erased_person_is_left(
    app: TestApp, make_user: MakeUser, role: str
) -> None:
    db = app.app.db
    owner, coach = await make_user("owner"), await make_user("coach")
    api, email = app.api.as_(owner), "zoe@quibble.example"
    invitation: dict[str, Any] = {"email": email, "role": role}
    if role == "client":
        invitation["coachId"] = coach.id
    invited = await api.post("/invitations", invitation, status=201)
    redemption = {
        "token": invited.data["link"].partition("#token=")[2],
        "name": "Zoe Quibble",
        "password": "seven kettles, no lid",
    }
    redeemed = (await app.api.post("/invitations/redeem", redemption, status=201)).data
    zoe_id, zoe = redeemed["user"]["id"], app.api.as_(_Token(redeemed["accessToken"]))
    if role == "client":
        other = coach
        (record,) = (await zoe.get("/clients", status=200)).data["items"]
        about = {"phone": "+49 30 5550100", "source": CANARY, "metadata": {"note": CANARY}}
        await api.patch(f"/clients/{record['id']}", about, status=200)
    else:
        other = await make_user("client")
        (record,) = (await api.get("/clients", status=200)).data["items"]
        await api.put(f"/clients/{record['id']}/coaches/{zoe_id}", status=204)
        program = {"note": CANARY, "scopes": ["clients.read"]}
        await zoe.post("/api-keys", program, status=201)
        of_hers = {"email": "a@clients.example", "role": "client", "coachId": zoe_id}
        await zoe.post("/invitations", of_hers, status=201)
        by_owner = await api.post("/invitations", of_hers | {"email": "b@x.example"}, status=201)
        token = by_owner.data["link"].partition("#token=")[2]
        await app.api.post("/invitations/redeem", redemption | {"token": token}, status=201)
    tag = await api.post("/tags", {"name": "Sleep"}, status=201)
    await api.put(f"/clients/{record['id']}/tags/{tag.data['id']}", status=204)
    direct = {"kind": "direct", "memberIds": [other.id]}
    conversation = (await zoe.post("/conversations", direct, status=201)).data["id"]
    path = f"/conversations/{conversation}/messages"
    sent = await zoe.post(path, {"content": CANARY, "localId": CANARY}, status=201)
    await zoe.patch(f"/messages/{sent.data['id']}", {"content": f"{CANARY}, edited"}, status=200)
    answer = await app.api.as_(other).post(path, {"content": "I see."}, status=201)
    read = {"messageId": answer.data["id"]}
    await zoe.post(f"/conversations/{conversation}/read", read, status=200)
    await app.app.bus.settled()
    known = {"auth_user", "auth_session", "auth_invitation", "practice_assignment", "chat_message"}
    known |= {"wellio_audit_detail"}
    assert await traces(db, zoe_id, email, record["id"]) >= known

    for item in reversed(app.app.personal_data):  # whom others refer to goes last
        await db.write(item.erase, zoe_id)
    assert await traces(db, email, CANARY, "5550100") == set()
    assert await traces(db, zoe_id) <= IDS_REMAIN.keys()
    for item in app.app.personal_data:
        assert not any((await item.export(zoe_id)).values())
    assert (await app.app.audit.verify()).is_intact
    history = (await app.api.as_(other).get(path, status=200)).data["items"]
    assert [message["content"] for message in history] == ["I see.", None]


class _Token:
    def __init__(self, token: str) -> None:
        self.token = token
