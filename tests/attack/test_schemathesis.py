"""A1, first half: schemathesis makes requests of what `/openapi.json` says, right and wrong ones.

Every operation is asked by one person of each role and by nobody, about things that exist and
things that do not. No answer is a 5xx; each has a status, a media type, headers and a body as
described; what the description forbids is refused.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import hypothesis
import pytest
import requests
import schemathesis
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.contract.rules import RULES
from wellio.testing import DEADLINE_S, World

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLERS: Final = ("owner", "carl", "assistant", "mia", "nobody")
CHECKS: Final[list[Any]] = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
RIGHT, WRONG = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
Ids = dict[str, str]


@pytest.mark.slow("schemathesis makes its requests for every operation")
async def test_a_few_requests_of_each_operation(world: World, seed: int) -> None:
    report = await Run(world, seed, examples=2, callers_of_each=1).every_operation()
    print(report)
    assert not report.faults, "\n".join(report.faults)
    assert report.covers_all


@pytest.mark.prove
@pytest.mark.timeout(3600)
async def test_many_requests_of_each_operation(world: World, seed: int) -> None:
    report = await Run(world, seed, examples=15, callers_of_each=len(CALLERS)).every_operation()
    print(report)
    assert not report.faults, "\n".join(report.faults)
    assert report.covers_all


@dataclass
class Report:
    """What a run saw.

    Attributes:
        faults: What schemathesis has to say against the API.
        operations: Those that were asked, of how many there are.
        statuses: How often each status was answered.
    """

    operations: int
    faults: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def covers_all(self) -> bool:
        return len(self.asked) == self.operations

    def __str__(self) -> str:
        total, statuses = sum(self.statuses.values()), dict(sorted(self.statuses.items()))
        return f"\nA1 schemathesis: {len(self.asked)} operations, {total} requests: {statuses}"


class Run:
    """Asks every operation."""

    def __init__(self, world: World, seed: int, examples: int, callers_of_each: int) -> None:
        """Begin.

        Args:
            world: The practice.
            seed: Decides everything.
            examples: Requests of each kind.
            callers_of_each: How many of the callers ask an operation.
        """
        self._world, self._seed, self._examples = world, seed, examples
        self._callers_of_each = callers_of_each
        self._rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self._http = requests.Session()
        self._is_mute = False

    async def every_operation(self) -> Report:
        with self._http:
            schema = schemathesis.openapi.from_dict(self._world.app.openapi)
            operations = [_sound(found) for found in schema.get_all_operations()]
            report = Report(len(operations))
            for operation in operations:
                for caller in self._rng.sample(CALLERS, self._callers_of_each):
                    is_known = caller != "nobody" or operation.definition.raw.get("security") == []
                    modes = (RIGHT, WRONG) if is_known and _may_be_wrong(operation) else (RIGHT,)
                    for mode in modes:
                        await self._ask(operation, caller, mode, report)
        return report

    async def _ask(self, operation: Any, caller: str, mode: Any, report: Report) -> None:
        ids = await self._things(operation) if mode is RIGHT else None
        for path in (None, ids) if ids else (None,):
            if caller != "nobody":  # the request before may have logged them out
                await self._world.sign_in(caller)
            try:
                await asyncio.to_thread(self._examine, operation, caller, mode, path, report)
            except FailureGroup as found:
                report.faults.append(f"{caller} {operation.label}: {found}")

    async def _things(self, operation: Any) -> Ids | None:
        """Return the ids of things that exist, for the path's parameters.

        A person among them is one who asks for nothing: an owner's request may disable them.
        """
        rules = [rule for rule in RULES if rule.call == operation.label and rule.ids]
        if not rules:
            return None
        kinds = {name: "max" if it == "member" else it for name, it in rules[0].ids.items()}
        return {name: await self._world.id_of(kind, "carls") for name, kind in kinds.items()}

    def _examine(
        self, operation: Any, caller: str, mode: Any, ids: Ids | None, report: Report
    ) -> None:
        credential = self._world.people[caller]
        headers = {"Authorization": f"Bearer {credential.token}"} if credential else {}

        @hypothesis.seed(self._seed)
        @hypothesis.settings(
            max_examples=self._examples,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(operation.as_strategy(generation_mode=mode, path_parameters=ids))
        def one(case: schemathesis.Case[Any]) -> None:
            assert not self._is_mute, "the app gave no answer; hypothesis need not try it again"
            try:
                response = case.call(self._world.app.url, self._http, headers, timeout=DEADLINE_S)
            except requests.Timeout:
                self._is_mute = True
                raise
            report.asked.add(operation.label)
            report.statuses[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        one()


def _sound(found: Any) -> Any:
    """Return an operation that schemathesis could read; it raises what is wrong with another."""
    return found.ok()


def _may_be_wrong(operation: Any) -> bool:
    """Tell whether anything that is sent could be forbidden."""
    return bool(operation.body) or any(
        it.definition["schema"] != {"type": "string"} for it in operation.iter_parameters()
    )
