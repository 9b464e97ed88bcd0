"""Code of a plugin that calls `sys.exit()` fails like any other code, and the server goes on."""

import sys
from collections.abc import Sequence
from typing import Any, NoReturn, cast

import pytest
from aiohttp import web

from tests.core.boot.test_testing import Person, Tokens
from wellio import (
    Client,
    Event,
    EventBus,
    Job,
    JobRun,
    Plugin,
    Tx,
    Wellio,
    endpoint,
    hookimpl,
    new_id,
    socket_event,
)
from wellio.http.health import Probe
from wellio.testing import Sockets, StartApp

pytestmark = pytest.mark.sqlite("who ends the process is no matter of the database")


class DoorSlammed(Event, name="door.slammed", about=None):
    """Somebody left in anger."""


class Door:
    name = "door"

    @endpoint("GET", "/door", public=True)
    async def leave(self, request: web.Request) -> NoReturn:
        """Leave."""
        sys.exit(3)

    @socket_event("leave", signed_in=True)
    async def leave_by_socket(self, client: Client) -> NoReturn:
        """Leave."""
        sys.exit(3)

    async def leave_by_job(self, run: JobRun) -> None:
        sys.exit(3)

    async def leave_by_subscriber(self, tx: Tx, event: DoorSlammed) -> None:
        sys.exit(3)

    async def check(self) -> NoReturn:
        sys.exit(3)


class DoorPlugin:
    PLUGIN = Plugin("door", "1.0")

    @hookimpl
    def register_routes(self, app: Wellio) -> Sequence[object]:
        return [Door()]

    @hookimpl
    def register_socket_events(self, app: Wellio) -> Sequence[object]:
        return [Door()]

    @hookimpl
    def register_events(self) -> Sequence[type[Event]]:
        return [DoorSlammed]

    @hookimpl
    def register_subscribers(self, app: Wellio, bus: EventBus) -> None:
        bus.subscribe_durable("door.leave", DoorSlammed, Door().leave_by_subscriber)

    @hookimpl
    def register_jobs(self, app: Wellio) -> Sequence[Job]:
        return [Job("door.leave", Door().leave_by_job, max_attempts=1)]

    @hookimpl
    def register_authenticators(self, app: Wellio) -> Sequence[object]:
        return [Tokens()]


async def test_the_server_outlives_it(wellio_app: StartApp, sockets: Sockets) -> None:
    app = await wellio_app(plugins=[DoorPlugin()])
    assert (await app.api.get("/door", status=500)).data["code"] == "internal_error"

    socket = await sockets.plain(app.url, cast(Any, Person("ann")))
    assert (await socket.call("leave", {}))["error"]["code"] == "internal_error"

    async def slam(tx: Tx) -> None:
        await app.app.bus.publish(tx, DoorSlammed(actor_id=new_id()))
        await app.app.jobs.enqueue(tx, "door.leave", {})

    with app.bus.expect_failures() as failures:
        await app.app.db.write(slam)
        await app.app.bus.settled()
    assert [it.subscriber for it in failures] == ["door.leave"]
    assert (await app.app.jobs.status())["dead"] == 1

    assert (await Probe(Door(), timeout_s=5).part())["status"] == "down"
    await app.api.get("//livez", status=200)
