"""No table knows a person without somebody who hands that out and takes it away.

The schema is asked, not the plugins: a table that refers to people must be named by a registered
`PersonalData`, and once all of them have erased somebody, nothing of that person is left.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from wellio import Database, Tx
from wellio.boot.answered import tables_about_people, unanswered
from wellio.db.catalogue import columns
from wellio.testing import MakeUser, StartApp, TestApp

CANARY = "the canary of Zoe Quibble"
#: Where an erased person's id stays, and why; it leads to nobody any more.
IDS_REMAIN = {
    "wellio_event": "what happened, in ids alone",
    "wellio_parked": "the same, of a subscriber that failed",
    "wellio_audit": "who did what, in ids alone",
    "wellio_audit_pending": "the same, of the last moment",
    "auth_user": "the tombstone, to which whatever stays may refer",
    "auth_invitation": "who invited somebody that has an account now",
    "chat_event": "others' devices must learn who left, and whose receipt a number was",
    "practice_assignment": "who looked after a client, and until when",
    "chat_conversation": "the pair's key, so that the other's conversation stays as it is",
}


async def traces(db: Database, *words: str) -> set[str]:
    """Return the tables, the core's too, that hold one of some words anywhere."""
    found = set()
    for table in await columns(db):
        rows = await db.fetch_all(f"SELECT * FROM {table}")
        text = str([tuple(row) for row in rows])
        if any(word in text for word in words):
            found.add(table)
    return found


def odd(exported: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Find what is not handed out as everything else: instants in ms, and JSON as what it says."""
    for table, rows in exported.items():
        for name, value in [it for row in rows for it in row.items()]:
            is_instant = name == "at" or name.endswith("_at")
            is_text = isinstance(value, str)
            if name != name.lower() or (is_text and (is_instant or value[:1] in {"[", "{"})):
                yield f"{table}.{name}: {value}"


@pytest.fixture
async def app(wellio_app: StartApp) -> TestApp:
    return await wellio_app()


async def test_every_table_about_people_has_somebody_who_answers_for_it(app: TestApp) -> None:
    tables = await tables_about_people(app.app.db)
    assert {"auth_session", "practice_assignment", "chat_message", "chat_event"} <= tables.keys()
    assert {"wellio_event", "wellio_audit", "wellio_audit_detail"} <= tables.keys()
    assert await unanswered(app.app) == {}
    named = {table for item in app.app.hooks.of("register_personal_data") for table in item.tables}
    assert named <= (await columns(app.app.db)).keys()


async def test_a_plugin_that_forgets_its_table_is_found(app: TestApp) -> None:
    async def diary(tx: Tx) -> None:
        await tx.execute("CREATE TABLE diary_page (id TEXT, writer TEXT REFERENCES auth_user (id))")
        await tx.execute("CREATE TABLE diary_note (id TEXT, author_id TEXT)")
        await tx.execute("CREATE TABLE diary_colour (id TEXT)")
        await tx.execute("CREATE TABLE wellio_diary (id TEXT, user_id TEXT)")

    await app.app.db.write(diary)
    assert {*await unanswered(app.app)} == {"diary_page", "diary_note", "wellio_diary"}


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

    exported = await app.export(zoe_id)
    assert {table for table, rows in exported.items() if rows} >= known
    assert list(odd(exported)) == []

    await app.erase(zoe_id)
    assert await traces(db, email, CANARY, "5550100") == set()
    assert await traces(db, zoe_id) <= IDS_REMAIN.keys()
    assert not any((await app.export(zoe_id)).values())
    assert (await app.app.audit.verify()).is_intact
    history = (await app.api.as_(other).get(path, status=200)).data["items"]
    assert [message["content"] for message in history] == ["I see.", None]


class _Token:
    def __init__(self, token: str) -> None:
        self.token = token
