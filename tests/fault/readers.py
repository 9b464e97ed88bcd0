"""Reads every conversation in every way that there is, once everything has healed."""

from collections import defaultdict
from typing import Any

from tests.fault.clients import Site, catch_up
from tests.fault.history import Message
from tests.fault.practice import API, Person, Practice
from tests.fault.sockets import PlainSocket, Socket, SocketIo


async def read_all(site: Site, practice: Practice) -> None:
    """Write the readings of the owner and of a member of each conversation."""
    owner = practice.owner
    for conversation in owner.conversations:
        member = next(c for c in practice.clients if conversation in c.conversations)
        for who, person in (("owner", owner), ("member", member)):
            await _newest_first(site, who, person, conversation)
            await _ascending(site, who, person, conversation)
            await _log(site, who, person, conversation)
    await _sync(site, "owner", owner, SocketIo)
    await _sync(site, "client", practice.clients[0], PlainSocket)


async def _newest_first(site: Site, who: str, person: Person, conversation: str) -> None:
    items = await _pages(site, person, f"{conversation}/messages", {})
    _write(site, f"{who}: history", conversation, items[::-1])


async def _ascending(site: Site, who: str, person: Person, conversation: str) -> None:
    items = await _pages(site, person, f"{conversation}/messages", {"afterSeq": "0"})
    _write(site, f"{who}: history from the start", conversation, items)


async def _log(site: Site, who: str, person: Person, conversation: str) -> None:
    items = await _pages(site, person, f"{conversation}/events", {"after": "0"})
    _write_log(site, f"{who}: log", conversation, items)


async def _sync(site: Site, who: str, person: Person, kind: type[Socket]) -> None:
    logs: dict[str, list[Any]] = defaultdict(list)
    socket = await kind.open(site.http, site.server.url, person.token, lambda event, data: None)
    async for page in catch_up(socket, None):
        for item in page["items"]:
            logs[item["conversationId"]].append(item)
    await socket.close()
    for conversation in person.conversations:
        _write_log(site, f"{who}: sync", conversation, logs[conversation])


async def _pages(site: Site, person: Person, path: str, query: dict[str, str]) -> list[Any]:
    items: list[Any] = []
    query = {**query, "limit": "100"}
    url = f"{site.server.url}{API}/conversations/{path}"
    while True:
        async with site.http.get(url, params=query, headers=person.headers) as response:
            page = await response.json(content_type=None)
            assert response.status == 200, page
        items += page["items"]
        if page["nextCursor"] is None:
            return items
        query["cursor"] = page["nextCursor"]


def _write_log(site: Site, who: str, conversation: str, items: list[Any]) -> None:
    news = [item["data"] for item in items if item["event"] == "new_message"]
    _write(site, who, conversation, news, [item["eventSeq"] for item in items])


def _write(
    site: Site, who: str, conversation: str, items: list[Any], events: list[int] | None = None
) -> None:
    messages = [Message.of_wire(item) for item in items]
    site.history.write("reading", who, conversation=conversation, messages=messages, events=events)
