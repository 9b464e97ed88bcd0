"""Tables of requests: who sends what, what comes back, and which events happen, and no others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from .apps import TestApp
from .client import HasToken, Reply


@dataclass(frozen=True)
class Scenario:
    """One request and what it does.

    Attributes:
        name: What it shows; the test's id.
        method: The HTTP method.
        path: As for `Api.request`; `{name}` stands for an id of the test's own.
        as_: The name of who sends it; None is nobody.
        body: The JSON body; text in braces as in the path.
        status: The status.
        code: A problem's code.
        contains: Texts that the answer holds.
        absent: Texts that it does not hold.
        events: The names of exactly the events that are published.
    """

    name: str
    method: str
    path: str
    as_: str | None = None
    body: Any = None
    status: int = 200
    code: str | None = None
    contains: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    async def run(
        self,
        app: TestApp,
        people: Mapping[str, HasToken],
        ids: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send it and assert everything that it says.

        Args:
            app: The server.
            people: Who sends, by the names of `as_`.
            ids: What stands for the names in braces.
        """
        known = ids or {}
        api = app.api.as_(people[self.as_] if self.as_ else None)
        with app.bus.expect(*self.events):
            reply = await api.request(
                self.method,
                self.path.format(**known),
                _filled(self.body, known),
                status=self.status,
            )
            text = reply.content.decode()
            await app.settled()
        assert self.code in {None, reply.code}, text
        assert [part for part in self.contains if part not in text] == [], text
        assert [part for part in self.absent if part in text] == [], text
        return reply


def scenario(*cases: Scenario) -> pytest.MarkDecorator:
    """Make one test of each case, in the parameter `case`.

    @scenario(
        Scenario("nobody is asked to sign in", "GET", "/clients", status=401),
        Scenario("a client sees only themself", "GET", "/clients", as_="client"),
    )
    async def test_clients(case, practice):
        await case.run(practice.app, practice.people)
    """
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


def _filled(body: Any, ids: Mapping[str, str]) -> Any:
    match body:
        case str():
            return body.format(**ids)
        case dict():
            return {key: _filled(value, ids) for key, value in body.items()}
        case list():
            return [_filled(value, ids) for value in body]
    return body
