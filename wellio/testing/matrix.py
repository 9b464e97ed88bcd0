"""Tries tables of who may do what: everybody, every call, everybody's things.

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def matrix(shared_app):
        clock = ManualClock(1_780_000_000_000)
        return await Matrix.of(await shared_app(clock=clock), clock, RULES)

    async def test_the_table_is_complete(matrix):
        assert matrix.gaps() == []

    async def test_every_cell(matrix):
        assert await matrix.requests() == []

    async def test_every_event(matrix, shared_sockets):
        assert await matrix.events(await matrix.connected(shared_sockets)) == []

Each cell asserts the status, that nothing which bears another's words comes back, that nothing is
published by what is read or refused, and that what is somebody else's is answered in every byte as
what does not exist.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Self

from wellio.clock import ManualClock
from wellio.observe.log import plugin_of
from wellio.realtime import EventRouter

from .apps import TestApp
from .client import Reply
from .rules import Rule, Rules
from .sockets import Socket, Sockets
from .world import KEYS, MIRROR, REFUSED, SIGNED_IN, World, person

#: Who can open a socket.
CONNECTING: Final = (*SIGNED_IN, *KEYS)
CALLERS: Final = (*REFUSED, *CONNECTING)
#: Headers that differ from request to request.
_OF_THE_MOMENT: Final = {"date", "x-request-id"}
#: What no answer of somebody who is signed in has.
_SECRET: Final = re.compile(r"password|hash|secret|token|pairkey|email_?ci", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """One caller, one call, one thing.

    Attributes:
        rule: The call.
        caller: Who.
        target: Whose thing.
        expected: The statuses that are right.
        path: The path with ids.
        body: The body with ids.
    """

    rule: Rule
    caller: str
    target: str
    expected: tuple[int, ...]
    path: str
    body: Any

    @property
    def changes_nothing(self) -> bool:
        """Tell whether others may ask meanwhile."""
        return self.rule.method == "GET" or min(self.expected) >= 400


class Matrix:
    """The tables of one world.

    Attributes:
        world: The practice that they are tried in.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        tables = world.tables
        self._rules = [rule for table in tables for rule in table.rules]
        self._public = [rule for table in tables for rule in table.public]
        self._events = [rule for table in tables for rule in table.events]
        self._scopes = dict(chain.from_iterable(table.scopes.items() for table in tables))
        self._shown = dict(chain.from_iterable(table.shown.items() for table in tables))
        self._once = dict(chain.from_iterable(table.once.items() for table in tables))

    @classmethod
    async def of(cls, app: TestApp, clock: ManualClock, *tables: Rules) -> Self:
        """Populate a world, and hold tables against it.

        Args:
            app: A server that runs by `clock`.
            clock: It moves past an access token's life.
            tables: Of one plugin or several.
        """
        world = World(app, *tables)
        await world.populate(clock)
        return cls(world)

    def gaps(self) -> list[str]:
        """Return what the tables leave out of their plugins, and what they say that is not so."""
        plugins = {table.plugin for table in self.world.tables}
        tags = self._tags(plugins)
        served, needed = {}, {}
        for path, methods in self.world.app.openapi["paths"].items():
            for method, operation in methods.items():
                if tags.isdisjoint(operation["tags"]):
                    continue
                call = f"{method.upper()} {path}"
                served[call] = operation.get("security") == []
                for scheme in operation.get("security", ()):
                    if "apiKey" in scheme:
                        needed[call] = "".join(scheme["apiKey"]) or "*"
        listed = {rule.call: False for rule in self._rules} | {it.call: True for it in self._public}
        sent = {rule.call: None for rule in self._events}
        events = self._served_events(plugins)
        needed |= {name: permission for name, permission in events.items() if permission}
        return [
            *_differences("endpoint", served, listed),
            *_differences("socket event", dict.fromkeys(events), sent),
            *_differences("API key's scope", needed, self._scopes),
        ]

    def targets(self, rule: Rule) -> list[str]:
        """Return whose things a rule is tried with."""
        kinds = rule.kinds - self.world.ids.keys()  # people are who they are in both halves
        if not kinds:
            return ["carls"]
        may_be_gone = any(map(self.world.can_be_gone, kinds))
        all_of_them = ["carls", "danas", "random"]
        all_of_them += ["deleted"] if may_be_gone else []
        all_of_them += ["mistaken"] if rule.ids and not rule.in_body else []
        return [target for target in all_of_them if target not in rule.never.split()]

    def expected(self, rule: Rule, caller: str, target: str) -> tuple[int, ...]:
        """Return the statuses that are right for a caller and a thing of a half."""
        if caller in REFUSED:
            return (401,)
        if caller in KEYS:
            scopes = {"*", *self.world.scopes_of(caller)}
            is_open = {self._scopes.get(rule.call), rule.scope} <= scopes
            return self.expected(rule, KEYS[caller], target) if is_open else (403,)
        name = MIRROR.get(caller, caller) if target == "danas" else caller
        things = self.world.things
        is_there = target in {"carls", "danas"} or (
            target == "deleted"
            and any(kind in things and things[kind].stays for kind in rule.kinds)
        )
        special = rule.but.get(f"{target} {name}")
        if special is None:
            special = rule.but.get(f"{'own' if is_there else 'random'} {name}")
        if special is not None:
            return (special,)
        if name not in rule.role.split() or (is_there and name in rule.seen.split()):
            return (403,)
        if name in rule.yes.split() and (is_there or not rule.kinds):
            return rule.good
        return (rule.missing,)

    def size(self, protocols: int = 1) -> int:
        """Return how many cells the tables have, their socket events on so many protocols."""
        requests = sum(len(self.targets(rule)) for rule in self._rules) * len(CALLERS)
        public = len(self._public) * len(CALLERS)
        events = sum(len(self.targets(rule)) for rule in self._events) * len(CONNECTING)
        return requests + public + events * protocols

    async def requests(self) -> list[str]:
        """Try every endpoint; return what is not as the tables say."""
        wrong: list[str] = []
        missing: dict[str, set[str]] = defaultdict(set)

        async def ask(cell: Cell) -> None:
            world, rule, caller = self.world, cell.rule, cell.caller
            reply = await world.api(caller).request(rule.method, cell.path, cell.body)
            where = f"{caller}: {rule.call} of {cell.target}"
            if reply.status not in cell.expected:
                wrong.append(f"{where}: {reply.status}, {cell.expected}")
            leaked = world.leaked(reply.content.decode(), caller)
            wrong.extend(f"{where}: reads {it}" for it in leaked)
            shown = self.overexposed(reply, rule.call, caller, world.ids.get(person(caller)))
            wrong.extend(f"{where}: {it}" for it in shown)
            if reply.status == 404:
                missing[rule.call].add(_anonymous(reply))
            if reply.status < 300:
                await world.replace(rule.uses_up, caller)

        for rule in self._rules:
            for target in self.targets(rule):
                row = [await self._cell(rule, caller, target) for caller in CALLERS]
                with self._quiet(f"{rule.call} of {target}", wrong):
                    await asyncio.gather(*(ask(cell) for cell in row if cell.changes_nothing))
                for cell in row:
                    if not cell.changes_nothing:
                        # What one used up is another thing for the next.
                        await ask(await self._cell(rule, cell.caller, target))
        return wrong + _distinguishable(missing)

    async def public(self) -> list[str]:
        """Try every endpoint that asks nobody who they are; return what is not as it should be."""
        wrong = []
        for rule in self._public:
            for caller in CALLERS:
                reply = await self.world.api(caller).request(rule.method, rule.path, rule.body)
                leaked = self.world.leaked(reply.content.decode(), caller)
                if reply.status != rule.status or leaked:
                    wrong.append(f"{caller}: {rule.call}: {reply.status}")
        return wrong

    async def connected(self, sockets: Sockets, protocol: str = "plain") -> dict[str, Socket]:
        """Open a socket for everybody who can.

        Args:
            sockets: Close them at the end.
            protocol: `plain` or `io`.
        """
        connect = sockets.plain if protocol == "plain" else sockets.io
        opened: dict[str, Socket] = {}
        for caller in CONNECTING:
            credential = self.world.people[caller]
            assert credential
            opened[caller] = await connect(self.world.app.url, credential)
        return opened

    async def events(self, opened: Mapping[str, Socket]) -> list[str]:
        """Send every socket event from everybody's socket; return what is not as the tables say."""
        wrong: list[str] = []
        missing: dict[str, set[str]] = defaultdict(set)
        for rule, target in [(event, it) for event in self._events for it in self.targets(event)]:
            for caller, socket in opened.items():
                body = await self.world.fill(rule.body, target)
                before = len(self.world.app.bus.names)
                ack = await socket.call(rule.call, body)
                status = 200 if ack["ok"] else ack["error"]["status"]
                if status >= 400 and (published := self.world.app.bus.names[before:]):
                    wrong.append(f"{caller}: {rule.call} of {target} publishes {published}")
                expected = self.expected(rule, caller, target)
                if status not in expected:
                    wrong.append(f"{caller}: {rule.call} of {target}: {status}, {expected}")
                if self.world.leaked(str(ack), caller):
                    wrong.append(f"{caller} reads too much in {rule.call} of {target}")
                if status == 404:
                    missing[rule.call].add(str({**ack["error"], "requestId": ""}))
        return wrong + _distinguishable(missing)

    def overexposed(
        self, reply: Reply, call: str, caller: str, user_id: str | None
    ) -> Iterator[str]:
        """Find what somebody is shown that is not for them.

        That no answer has a member which its model does not declare is checked with every request.

        Args:
            reply: What they got.
            call: For which call.
            caller: Who.
            user_id: Their account, or the one of a key's maker; None for nobody's.
        """
        if reply.status >= 400 or reply.data is None:
            return
        for item in _objects(reply.data):
            if item.get("status") and item.get("senderId", user_id) != user_id:
                yield "is shown how far somebody else's message got"
            for name in (name for name, value in item.items() if value is not None):
                readers = self._shown.get(name, {person(caller)})
                if person(caller) not in readers or not self.world.shows(name, caller):
                    yield f"is shown {name}"
                if self._once.get(name, call) != call:
                    yield f"is told {name} again"
                if _SECRET.search(name):
                    yield f"is shown {name}"

    @contextmanager
    def _quiet(self, where: str, wrong: list[str]) -> Iterator[None]:
        """Note which events are published meanwhile: what is read or refused publishes none."""
        bus = self.world.app.bus
        before = len(bus.names)
        yield
        if published := bus.names[before:]:
            wrong.append(f"{where}: what changes nothing publishes {published}")

    async def _cell(self, rule: Rule, caller: str, target: str) -> Cell:
        path, body = [await self.world.fill(it, target) for it in (rule.path, rule.body)]
        return Cell(rule, caller, target, self.expected(rule, caller, target), path, body)

    def _tags(self, plugins: Collection[str]) -> set[str]:
        """Return how OpenAPI tags the operations of some plugins: by their packages."""
        loaded = [it for it in self.world.app.app.hooks.plugins.loaded if it.plugin.name in plugins]
        modules = [getattr(it.module, "__name__", type(it.module).__module__) for it in loaded]
        return {plugin_of(module) for module in modules} | ({"core"} & {*plugins})

    def _served_events(self, plugins: Collection[str]) -> dict[str, str | None]:
        """Return the permission that each socket event of some plugins needs."""
        answers = self.world.app.app.hooks.answers("register_socket_events")
        handlers = [it for plugin, answer in answers if plugin in plugins for it in answer]
        return {event.name: event.permission for event in EventRouter(handlers).events}


def _differences(what: str, served: Mapping[str, Any], listed: Mapping[str, Any]) -> Iterator[str]:
    """Find what is in one of two mappings, or is another thing in each."""
    for name in sorted({*served, *listed}):
        if name not in listed:
            yield f"{what} {name} is not in the table"
        elif name not in served:
            yield f"{what} {name} is in the table alone"
        elif served[name] != listed[name]:
            yield f"{what} {name}: {served[name]}, in the table {listed[name]}"


def _distinguishable(missing: Mapping[str, Collection[str]]) -> list[str]:
    """Find the calls whose 404s differ: they tell what exists."""
    return [
        f"{call} answers for what is missing in {len(answers)} ways: {sorted(answers)}"
        for call, answers in missing.items()
        if len(answers) > 1
    ]


def _anonymous(reply: Reply) -> str:
    """Return a problem, headers and all, without what differs from request to request."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    lasting = {name: headers[name] for name in sorted(headers.keys() - _OF_THE_MOMENT)}
    # A request's id is not always of one length.
    lasting["content-length"] = str(int(headers["content-length"]) - len(reply.data["requestId"]))
    return str(({**reply.data, "requestId": ""}, lasting))


def _objects(data: Any) -> Iterator[Mapping[str, Any]]:
    """Find every object in an answer, but not in what people store free-form."""
    if isinstance(data, list):
        for item in data:
            yield from _objects(item)
    elif isinstance(data, dict):
        yield data
        for name, value in data.items():
            if name != "metadata":
                yield from _objects(value)
