"""What is done and its row in the audit log are one transaction: neither is there alone."""

from typing import Any, Never

import pytest

from tests.attack.snapshot import additions, changes, snapshot
from tests.contract.rules import RULES
from wellio.audit import Audit
from wellio.testing import World

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.sqlite("a transaction that is taken back is tests/core/db's, on both"),
]
#: What a request leaves before it does anything: who tried, and what jobs and workers are up to.
ASIDE = {"auth_attempt", "wellio_cursor", "wellio_job"}


async def test_nothing_is_done_that_cannot_be_audited(
    world: World, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    audited = set()
    for rule in RULES:
        if rule.method == "GET" or not rule.yes:
            continue
        api = world.api(rule.yes.split()[0])
        path = await world.fill(rule.path, "carls")
        body = await world.fill(rule.body, "carls")
        await world.app.app.bus.settled()
        before, actions = await snapshot(world.app.app.db), list[str]()

        async def refuse(*args: Any, _said: list[str] = actions, **_: Any) -> Never:
            _said.append(args[2])
            raise OSError("the audit log does not answer")

        with monkeypatch.context() as patch, subtests.test(rule.call):
            patch.setattr(Audit, "record", refuse)
            reply = await api.request(rule.method, path, body)
            if not actions:
                continue  # the matrix has it changed; nobody audits it
            audited.update(actions)
            assert reply.status == 500, actions
            after = await snapshot(world.app.app.db)
            assert changes(before, after, but=ASIDE) == [], actions
            assert not set(additions(before, after)) - ASIDE, actions
    assert len(audited) >= 13
