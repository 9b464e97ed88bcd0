"""The practice that is measured: the same amounts of everything as the peers have.

A thousand people in conversations of two, one conversation of five hundred, fifty conversations
with ten thousand messages for reading, sixty-four for writing. Made through the services, in this
process, before the server starts; the bench's one password is hashed once.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wellio_auth.accounts.models import NewAccount
from wellio_auth.accounts.service import Accounts
from wellio_auth.credentials.passwords import Passwords
from wellio_auth.sessions.models import Origin
from wellio_auth.sessions.service import Sessions
from wellio_auth.setup.store import mark_set_up
from wellio_chat.conversations.models import NewConversation
from wellio_chat.conversations.service import ConversationService
from wellio_chat.messages.models import NewMessage
from wellio_chat.messages.service import MessageService

from wellio import WELLIO, Actor, Row, Tx, Wellio, create_app
from wellio.config.settings import load_config

PEOPLE: Final = 1000
FAN: Final = 500
READ: Final = 50
WRITTEN: Final = 64
MESSAGES: Final = 10_000
#: Who signs in again and again: an account has only so many sessions, so nobody else's may end.
LOGIN: Final = "login@bench.example"
PASSWORD: Final = "one fine horse, two batteries"  # noqa: S105 - of nobody
_TEXT = "hello there " * 6
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in."""

    actor: Actor
    token: str


@dataclass(slots=True)
class Practice:
    """What a load driver must know to ask for it.

    Attributes:
        people: Everybody; the first is the owner, who is in every conversation that is read.
        pairs: The conversation of each two, in their order.
        fan: The large one.
        read: Those with messages.
        written: Those to write to.
        messages: Ids of some messages.
        small: A conversation of ten thousand messages, where growth is measured; else None.
        big: One of as many as growth is measured with.
    """

    people: list[Person]
    pairs: list[str]
    fan: str
    read: list[str]
    written: list[str]
    messages: list[str]
    small: str | None = None
    big: str | None = None


async def make(folder: Path, env: Mapping[str, str], growth: int = 0) -> Practice:
    """Fill an empty practice.

    Args:
        folder: Its data folder.
        env: Its settings, as its server will have them.
        growth: How many messages the largest conversation gets, for the row that asks.
    """
    config = load_config(env=env, overrides={"data_dir": str(folder)})
    application = await create_app(config, workers=False)
    app = application[WELLIO]
    await app.audit.start(workers=False)
    async with app.hooks.plugins.running(app):
        practice = await _fill(app)
        if growth:
            owner = practice.people[0].actor
            practice.small = await _long(app, owner, practice.people[1].actor, MESSAGES)
            practice.big = await _long(app, owner, practice.people[2].actor, growth)
    await app.keys.close()
    await app.db.close()
    return practice


async def _fill(app: Wellio) -> Practice:
    password_hash = await app.service(Passwords).hash(PASSWORD)
    people = await _people(app, password_hash)
    owner, others = people[0], people[1:]
    pairs = [
        await _open(app, people[n], "direct", people[n + 1 : n + 2]) for n in range(0, PEOPLE, 2)
    ]
    fan = await _open(app, owner, "group", people[1:FAN])
    read = [await _open(app, owner, "group", others[n : n + 2]) for n in range(READ)]
    written = [await _open(app, owner, "group", others[n : n + 2]) for n in range(WRITTEN)]
    messages = await _talk(app, owner.actor, read, MESSAGES)
    return Practice(people, pairs, fan, read, written, messages[:READ])


async def _people(app: Wellio, password_hash: str) -> list[Person]:
    """Make an owner and coaches, each with the client who comes next."""
    await app.db.write(_login, app, password_hash)
    people: list[Person] = []
    for n in range(0, PEOPLE, 2):
        people += await app.db.write(_pair, app, password_hash, n)
    return people


async def _login(tx: Tx, app: Wellio, password_hash: str) -> None:
    await mark_set_up(tx, app.clock.now_ms())
    await _account(tx, app, NewAccount(LOGIN, "Login", "coach", password_hash), None)


async def _pair(tx: Tx, app: Wellio, password_hash: str, n: int) -> list[Person]:
    role = "coach" if n else "owner"
    staff = NewAccount(f"p{n}@bench.example", f"Person {n}", role, password_hash)
    client = NewAccount(f"p{n + 1}@bench.example", f"Person {n + 1}", "client", password_hash)
    coach = await _account(tx, app, staff, None)
    return [
        await _signed_in(tx, app, coach),
        await _signed_in(tx, app, await _account(tx, app, client, coach)),
    ]


async def _account(tx: Tx, app: Wellio, account: NewAccount, coach: Row | None) -> Row:
    attributes = {"coachId": coach["id"]} if coach else {}
    return await app.service(Accounts).create(tx, account, attributes, by_command=True)


async def _signed_in(tx: Tx, app: Wellio, user: Row) -> Person:
    sessions = app.service(Sessions)
    grant = await sessions.open(tx, user, Origin("", "bench"))
    permissions = app.policies.permissions_of(user["role"])
    actor = Actor(user["id"], user["role"], grant.session_id, permissions)
    return Person(actor, sessions.answer(grant).access_token)


async def _open(app: Wellio, maker: Person, kind: str, members: list[Person]) -> str:
    new: dict[str, Any] = {"kind": kind, "memberIds": [one.actor.user_id for one in members]}
    if kind == "group":
        new["title"] = "bench"
    conversations = app.service(ConversationService)
    opened = await conversations.open(maker.actor, NewConversation.model_validate(new))
    return opened.conversation.id


async def _long(app: Wellio, owner: Actor, member: Actor, count: int) -> str:
    other = Person(member, "")
    conversation_id = await _open(app, Person(owner, ""), "group", [other])
    await _talk(app, owner, [conversation_id], count)
    return conversation_id


async def _talk(app: Wellio, actor: Actor, conversations: list[str], count: int) -> list[str]:
    """Send messages to conversations in turn; return the ids of the last ones."""
    service = app.service(MessageService)
    sent: list[str] = []
    for start in range(0, count, _AT_ONCE):
        stored = await asyncio.gather(
            *(
                service.send(
                    actor,
                    conversations[n % len(conversations)],
                    NewMessage.model_validate({"content": f"{_TEXT}{n}"}),
                )
                for n in range(start, min(start + _AT_ONCE, count))
            )
        )
        sent = [str(one.message["id"]) for one in stored]
    return sent
