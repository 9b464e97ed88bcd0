"""The practice that the load runs in: an owner, clients, and groups which overlap."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from tests.fault.server import OWNER_EMAIL, OWNER_PASSWORD

API: Final = "/api/v1"
_AT_ONCE: Final = 4  # as many passwords as the server hashes without refusing


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account.

    Attributes:
        id: Their user id.
        token: An access token that outlives the run.
        conversations: The ids of those that they are in.
    """

    id: str
    token: str
    conversations: list[str]

    @property
    def headers(self) -> dict[str, str]:
        """Return what a request of theirs carries."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Practice:
    """Everybody; the owner is in every conversation, each client in two."""

    owner: Person
    clients: list[Person]


async def found(http: aiohttp.ClientSession, url: str, clients: int, groups: int) -> Practice:
    """Make the accounts and the groups, through the API.

    Args:
        http: Connections.
        url: The server, which has made its owner by itself.
        clients: How many clients.
        groups: How many groups; client n is in the groups n and n + 1, counted around.
    """
    signed_in = await _post(
        http, url, "/auth/login", {"email": OWNER_EMAIL, "password": OWNER_PASSWORD}
    )
    owner = _person(signed_in)
    turn = asyncio.Semaphore(_AT_ONCE)

    async def invite(number: int) -> Person:
        async with turn:
            wish = {"email": f"client{number}@example.com", "role": "client"}
            invitation = await _post(http, url, "/invitations", wish, owner)
            token = invitation["link"].partition("#token=")[2]
            answer = {"token": token, "name": f"Client {number}", "password": secrets.token_hex()}
            return _person(await _post(http, url, "/invitations/redeem", answer))

    people = await asyncio.gather(*(invite(number) for number in range(clients)))
    for group in range(groups):
        members = [p for n, p in enumerate(people) if (group - n) % groups in {0, 1}]
        wish = {"kind": "group", "title": f"Group {group}", "memberIds": [p.id for p in members]}
        conversation = await _post(http, url, "/conversations", wish, owner)
        for person in (owner, *members):
            person.conversations.append(conversation["id"])
    return Practice(owner, people)


def _person(signed_in: dict[str, Any]) -> Person:
    return Person(signed_in["user"]["id"], signed_in["accessToken"], [])


async def _post(
    http: aiohttp.ClientSession, url: str, path: str, body: Any, actor: Person | None = None
) -> dict[str, Any]:
    headers = actor.headers if actor else {}
    async with http.post(f"{url}{API}{path}", json=body, headers=headers) as response:
        answer: dict[str, Any] = await response.json(content_type=None)
        assert response.status in {200, 201}, answer
        return answer
