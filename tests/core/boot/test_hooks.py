"""What a plugin returns from a hook does something, seen from outside; and what it must not be."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from aiohttp import web

from tests.core.mail.post_office import post_office
from wellio import (
    ACTOR,
    Access,
    Actor,
    DashboardSection,
    Event,
    EventBus,
    Fragment,
    HealthCheck,
    Job,
    JobRun,
    Letterhead,
    Mail,
    Notice,
    Permission,
    PersonalData,
    Plugin,
    PluginError,
    Policy,
    Tx,
    Unauthorized,
    Wellio,
    endpoint,
    hookimpl,
    new_id,
)
from wellio.testing import StartApp, TestApp

pytestmark = pytest.mark.sqlite("what hooks do; no statement is of this module's own")

MINE, OTHERS, HIDDEN = new_id(), new_id(), new_id()


class Person:
    """Somebody whose token is their role."""

    def __init__(self, role: str) -> None:
        self.token = role


COACH, CLIENT = Person("coach"), Person("client")


class Tokens:
    def __init__(self, app: Wellio) -> None:
        self._app = app

    async def from_request(self, request: web.Request) -> Actor | None:
        return await self.from_token(request.headers["Authorization"].removeprefix("Bearer "))

    async def from_token(self, token: str) -> Actor | None:
        if token not in {COACH.token, CLIENT.token}:
            raise Unauthorized
        return Actor(token, token, None, self._app.policies.permissions_of(token))


class Rung(Event, name="bell.rung", about=None):
    """A bell was rung."""

    bell_id: str


class Api:
    """Rings bells."""

    def __init__(self, app: Wellio) -> None:
        self._app = app

    @endpoint("POST", "/bells/{bell_id}/rings", object=("bell", "bell_id"), action="ring",
              permission="bells.ring", status=204)  # fmt: skip
    async def ring(self, request: web.Request) -> None:
        """Ring a bell: publish that, and have a mail sent."""
        bell_id = request.match_info["bell_id"]

        async def body(tx: Tx) -> None:
            await self._app.bus.publish(tx, Rung(actor_id=request[ACTOR].user_id, bell_id=bell_id))
            await self._app.jobs.enqueue(tx, "bells.tell", {"bell_id": bell_id})

        await self._app.db.write(body)


class BellPolicy:
    """One bell is everybody's, one may be seen, and nobody knows of another."""

    kind = "bell"

    async def may(self, actor: Actor, action: str, object_id: str) -> Access:
        return {MINE: Access.ALLOWED, OTHERS: Access.VISIBLE}.get(object_id, Access.HIDDEN)

    def visible_sql(self, actor: Actor, column: str) -> Fragment:
        return Fragment(f"{column} = :bell", {"bell": MINE})


class Section:
    name = "bells"

    async def load(self, actor: Actor) -> Any:
        return {"for": actor.role}


class BrokenSection:
    name = "cracked"

    async def load(self, actor: Actor) -> Any:
        raise LookupError("a bug")


class Rope:
    name = "rope"
    reason: str | None = None

    async def check(self) -> str | None:
        return self.reason


class Rings:
    """Who rang how often."""

    tables = ("bells_ring",)

    def __init__(self) -> None:
        self.counts = {"ann": 2, "bob": 1}

    async def export(self, user_id: str) -> Mapping[str, list[dict[str, Any]]]:
        return {"bells_ring": [{"count": self.counts.get(user_id)}]}

    async def erase(self, tx: Tx, user_id: str) -> None:
        self.counts.pop(user_id)


class BellPlugin:
    """Brings one thing of each kind."""

    PLUGIN = Plugin("bells", "1")

    def __init__(self) -> None:
        self.rope, self.rings = Rope(), Rings()
        self.heard: list[tuple[str, str]] = []

    @hookimpl
    def register_events(self) -> Sequence[type[Event]]:
        return [Rung]

    @hookimpl
    def register_routes(self, app: Wellio) -> Sequence[object]:
        return [Api(app)]

    @hookimpl
    def register_authenticators(self, app: Wellio) -> Sequence[object]:
        return [Tokens(app)]

    @hookimpl
    def register_permissions(self) -> Sequence[Permission]:
        return [Permission("bells.ring", "Ring bells.", frozenset({"coach"}))]

    @hookimpl
    def register_policies(self, app: Wellio) -> Sequence[Policy]:
        return [BellPolicy()]

    @hookimpl
    def register_subscribers(self, app: Wellio, bus: EventBus) -> None:
        async def follow(tx: Tx, event: Rung) -> None:
            self.heard.append(("durable", event.bell_id))

        bus.subscribe(Rung, lambda event: self.heard.append(("live", event.bell_id)))
        bus.subscribe_durable("bells.follow", Rung, follow)

    @hookimpl
    def register_jobs(self, app: Wellio) -> Sequence[Job]:
        async def tell(run: JobRun) -> None:
            mail = Mail(to="ann@example.com", subject="It rang", text=run.payload["bell_id"])
            await app.mail.send(mail, key=run.id)

        return [Job("bells.tell", tell)]

    @hookimpl
    def register_health_checks(self, app: Wellio) -> Sequence[HealthCheck]:
        return [self.rope]

    @hookimpl
    def register_personal_data(self, app: Wellio) -> Sequence[PersonalData]:
        return [self.rings]

    @hookimpl
    def register_dashboard(self, app: Wellio) -> Sequence[DashboardSection]:
        return [Section(), BrokenSection()]


class Head:
    """A plugin that knows a practice, and nothing else."""

    def __init__(self, name: str, *after: str) -> None:
        self.PLUGIN = Plugin(name, "1", after=after)

    @hookimpl
    def register_letterhead(self, app: Wellio) -> Sequence[Callable[[], Awaitable[Letterhead]]]:
        async def letterhead() -> Letterhead:
            return Letterhead(f"The {self.PLUGIN.name} practice", "UTC")

        return [letterhead]


@pytest.fixture
def bells() -> BellPlugin:
    return BellPlugin()


@pytest.fixture
async def app(wellio_app: StartApp, bells: BellPlugin) -> TestApp:
    return await wellio_app(plugins=[bells])


async def ring(app: TestApp, who: Person, bell: str, status: int) -> None:
    await app.api.as_(who).post(f"/bells/{bell}/rings", status=status)


async def test_permissions_are_held_by_their_roles_alone(app: TestApp) -> None:
    await ring(app, COACH, MINE, 204)
    await ring(app, CLIENT, MINE, 403)


async def test_a_policy_decides_about_its_kind(app: TestApp) -> None:
    await ring(app, COACH, OTHERS, 403)
    await ring(app, COACH, HIDDEN, 404)


async def test_subscribers_hear_what_was_published(app: TestApp, bells: BellPlugin) -> None:
    await ring(app, COACH, MINE, 204)
    await app.settled()
    assert sorted(bells.heard) == [("durable", MINE), ("live", MINE)]


async def test_a_job_is_done(app: TestApp) -> None:
    await ring(app, COACH, MINE, 204)
    await app.settled()
    [mail] = await app.mails(to="ann@example.com")
    assert mail.text.strip() == MINE


async def test_a_health_check_shows_under_its_plugin(app: TestApp, bells: BellPlugin) -> None:
    path = "//health/bells"
    assert (await app.api.get(path, status=200)).data["checks"] == {"rope": {"status": "ok"}}
    bells.rope.reason = "is worn"
    shown = (await app.api.get(path, status=200)).data
    assert shown["status"] == "degraded"
    assert shown["checks"] == {"rope": {"status": "degraded", "reason": "is worn"}}


async def test_a_section_of_the_dashboard_is_its_readers_and_fails_alone(app: TestApp) -> None:
    for who in (COACH, CLIENT):
        shown = await app.api.as_(who).get("/dashboard", status=200)
        assert shown.data == {"bells": {"for": who.token}, "cracked": None}


async def test_personal_data_is_handed_out_and_erased(app: TestApp, bells: BellPlugin) -> None:
    assert (await app.export("ann"))["bells_ring"] == [{"count": 2}]
    await app.erase("ann")
    assert bells.rings.counts == {"bob": 1}


@pytest.mark.parametrize(
    "order, expected", [((), "Wellio"), (("a",), "The a practice"), (("a", "b"), "The b practice")]
)
async def test_the_last_plugin_that_knows_the_practice_heads_the_mails(
    wellio_app: StartApp, bells: BellPlugin, order: tuple[str, ...], expected: str
) -> None:
    async with post_office() as office:
        heads = [Head(name, *order[:n]) for n, name in enumerate(order)]
        settings = {"mail.url": office.url()}
        app = await wellio_app(plugins=[*reversed(heads), bells], settings=settings)
        await ring(app, COACH, MINE, 204)
        await app.settled()
        assert [mail.message["From"] for mail in office.mails] == [
            f"{expected} <desk@practice.example>"
        ]
        await app.stop()


class Twin(BellPlugin):
    """Brings one of the bells' things once more."""

    PLUGIN = Plugin("twin", "1")

    def __init__(self, hook: str) -> None:
        super().__init__()
        for name in dir(BellPlugin):
            if name.startswith("register_") and name != hook:
                setattr(self, name, None)


@pytest.mark.parametrize(
    "hook, expected",
    [
        ("register_policies", "two policies are registered for the kind bell"),
        ("register_dashboard", "two sections of the dashboard are called bells"),
        ("register_permissions", "bells.ring"),
        ("register_jobs", "bells.tell"),
        ("register_subscribers", "bells.follow"),
    ],
)
async def test_what_another_plugin_has_brought_already_stops_the_start(
    wellio_app: StartApp, bells: BellPlugin, hook: str, expected: str
) -> None:
    with pytest.raises(PluginError, match=expected):
        await wellio_app(plugins=[bells, Twin(hook)])


class Asked:
    """A plugin that counts how often it is asked, and asks others meanwhile."""

    PLUGIN = Plugin("asked", "1")

    def __init__(self, *others: str) -> None:
        self.times, self.others = 0, others

    @hookimpl
    def register_notices(self, app: Wellio) -> Sequence[Notice]:
        self.times += 1
        for other in self.others:
            app.hooks.of(other)

        async def notice() -> str | None:
            return "asked"

        return [notice]


async def test_a_hook_is_asked_once_and_its_answers_are_kept(wellio_app: StartApp) -> None:
    asked = Asked("register_demo")
    hooks = (await wellio_app(plugins=[asked])).app.hooks
    assert asked.times == 1
    assert [await notice() for notice in hooks.of("register_notices")] == ["asked"]
    assert [name for name, _ in hooks.answers("register_notices")] == ["asked"]
    assert asked.times == 1


async def test_the_core_answers_before_every_plugin(app: TestApp, bells: BellPlugin) -> None:
    first, *others = app.app.hooks.of("register_personal_data")
    assert first.tables == ("wellio_audit_detail",)
    assert others == [bells.rings]
    checks = app.app.hooks.by_plugin("register_health_checks")
    assert (list(checks), checks["bells"]) == (["core", "bells"], [bells.rope])
    assert "database" in [check.name for check in checks["core"]]


async def test_hooks_that_wait_for_each_other_are_named(wellio_app: StartApp) -> None:
    circle = "register_notices -> register_notices"
    with pytest.raises(PluginError, match=f"wait for each other's answers: {circle}"):
        await wellio_app(plugins=[Asked("register_notices")])


async def test_a_hook_that_is_not_there_is_named(app: TestApp) -> None:
    with pytest.raises(PluginError, match="there is no hook register_bells"):
        app.app.hooks.of("register_bells")


async def test_what_an_app_holds_can_be_learnt(app: TestApp) -> None:
    held = {name for name in vars(app.app) if not name.startswith("_")}
    held |= set(Wellio.__annotations__)
    assert len(held) <= 15, "what plugins bring is in app.hooks; what one part needs is a service"
    documented = set(re.findall(r"^        (\w+): ", Wellio.__doc__ or "", re.MULTILINE))
    assert documented == held
