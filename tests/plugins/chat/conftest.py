"""A small practice in which people talk: two coaches with a client each, an owner, an assistant."""

from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from wellio_chat.conversations.service import ConversationService
from wellio_chat.messages.catchup import CatchUpService
from wellio_chat.messages.pages import Pages
from wellio_chat.messages.service import MessageService

from wellio.testing import Api, TestApp, User
from wellio.testing.plugin import MakeUser, StartApp


@dataclass
class Practice:
    """An app with people.

    Attributes:
        app: The app.
        people: `owner`, `coach` with `client`, `other_coach` with `stranger`, `assistant`.
        ids: The people's ids by name, and what a test adds.
    """

    app: TestApp
    people: dict[str, User]
    ids: dict[str, str]

    def api(self, name: str) -> Api:
        return self.app.api.as_(self.people[name])

    @property
    def messages(self) -> MessageService:
        return self.app.app.service(MessageService)

    @property
    def pages(self) -> Pages:
        return self.app.app.service(Pages)

    @property
    def conversations(self) -> ConversationService:
        return self.app.app.service(ConversationService)

    @property
    def catch_up(self) -> CatchUpService:
        return self.app.app.service(CatchUpService)

    async def direct(self, name: str, other: str) -> str:
        body = {"kind": "direct", "memberIds": [self.ids[other]]}
        return str((await self.api(name).post("/conversations", body)).data["id"])

    async def group(self, name: str, *others: str) -> str:
        body = {"kind": "group", "memberIds": [self.ids[o] for o in others], "title": "Walkers"}
        return str((await self.api(name).post("/conversations", body, status=201)).data["id"])

    async def send(self, name: str, conversation_id: str, content: str, **rest: Any) -> Any:
        path = f"/conversations/{conversation_id}/messages"
        return (await self.api(name).post(path, {"content": content, **rest})).data

    async def events(self, name: str, conversation_id: str) -> list[Any]:
        path = f"/conversations/{conversation_id}/events?after=0&limit=100"
        items: list[Any] = (await self.api(name).get(path, status=200)).data["items"]
        return items


@pytest_asyncio.fixture(loop_scope="module")
async def practice(shared_app: StartApp, shared_user: MakeUser) -> Practice:
    """Bring people of the case's own, and so its own conversations, into the module's app."""
    app, make_user = await shared_app.first(), shared_user
    owner = await make_user("owner")
    coach, other_coach = await make_user("coach"), await make_user("coach")
    people = {
        "owner": owner,
        "coach": coach,
        "other_coach": other_coach,
        "client": await make_user("client", coach=coach),
        "stranger": await make_user("client", coach=other_coach),
        "assistant": await make_user("assistant"),
    }
    return Practice(app, people, {name: user.id for name, user in people.items()})
