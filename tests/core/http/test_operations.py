"""What operators look at: health, readiness, metrics, headers; and the dashboard."""

import asyncio
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.core.http.small_app import COACH, Answer, logged, running
from tests.core.http.test_endpoints import ThingApi
from wellio.access.actor import Actor
from wellio.errors import PluginError, Unavailable
from wellio.http import Check, DashboardApi, HealthApi
from wellio.observe.metrics import Metrics


async def well() -> None: ...


async def slow_queue() -> str:
    return "3 events were given up"


async def broken() -> None:
    raise RuntimeError("s3cret")


def health(core: Any = well, plugin: Any = well, ready: Any = well) -> HealthApi:
    return HealthApi(
        "1.2.3",
        ready=ready,
        core=[Check("database", core)],
        plugins={"chat": [Check("index", plugin)], "auth": []},
        skipped=["odd"] if plugin is slow_queue else [],
    )


@pytest.mark.parametrize(
    "core, plugin, status, chat",
    [
        (well, well, "ok", "ok"),
        (well, slow_queue, "degraded", "degraded"),
        (well, broken, "degraded", "down"),
        (slow_queue, well, "degraded", "ok"),
        (broken, well, "down", "ok"),
        (broken, broken, "down", "down"),
    ],
)
async def test_health(core: Any, plugin: Any, status: str, chat: str) -> None:
    with logged() as lines:
        async with running(health(core, plugin)) as app:
            whole = await app.request("GET", "/health", token=None)
            part = await app.request("GET", "/health/chat", token=None)
    assert (whole.status, whole.data["status"], whole.data["version"]) == (200, status, "1.2.3")
    assert whole.data["plugins"]["chat"]["status"] == part.data["status"] == chat
    assert whole.data["plugins"]["auth"] == {"status": "ok", "checks": {}}
    assert b"s3cret" not in whole.content
    assert "s3cret" not in lines.text.replace('raise RuntimeError(\\"s3cret\\")', "")


async def test_a_plugin_that_was_left_out_is_down_and_an_unknown_one_is_not_there() -> None:
    async with running(health(plugin=slow_queue)) as app:
        whole = (await app.request("GET", "/health", token=None)).data
        assert whole["plugins"]["odd"]["status"] == "down"
        assert (await app.request("GET", "/health/odd", token=None)).data["status"] == "down"
        assert (await app.request("GET", "/health/none", token=None)).status == 404


async def test_a_check_that_hangs_is_down_and_runs_once() -> None:
    runs = 0

    async def hang() -> None:
        nonlocal runs
        runs += 1
        await asyncio.Event().wait()

    checks = [Check("database", hang)]
    api = HealthApi("1.2.3", ready=well, core=checks, plugins={}, timeout_s=0.3)
    async with running(api) as app:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(app.request("GET", "/health")) for _ in range(5)]
        for task in tasks:
            part = task.result().data["checks"]["database"]
            assert part == {"status": "down", "reason": "does not answer in time"}
    assert runs == 1


async def refuses() -> None:
    raise Unavailable


@pytest.mark.parametrize("ready, status", [(well, 200), (broken, 503), (refuses, 503)])
async def test_readiness(ready: Any, status: int) -> None:
    with logged():
        async with running(health(ready=ready)) as app:
            assert (await app.request("GET", "/livez", token=None)).data == {"status": "ok"}
            answer = await app.request("GET", "/readyz", token=None)
            assert (answer.status, "Retry-After" in answer.headers) == (status, status == 503)


class Section:
    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self._value = value

    async def load(self, actor: Actor) -> Any:
        if isinstance(self._value, Exception):
            raise self._value
        return {"value": self._value, "role": actor.role}


async def test_the_dashboard_shows_every_section_that_works() -> None:
    sections = [Section("chat", 3), Section("broken", RuntimeError("s3cret")), Section("a", 1)]
    with logged() as lines:
        async with running(DashboardApi(sections)) as app:
            answer = await app.request("GET", "/api/v1/dashboard")
            assert (await app.request("GET", "/api/v1/dashboard", token=None)).status == 401
    assert answer.data == {
        "chat": {"value": 3, "role": COACH.role},
        "broken": None,
        "a": {"value": 1, "role": COACH.role},
    }
    assert [line["section"] for line in lines.all()] == ["broken"]


def test_two_sections_of_one_name_stop_the_start() -> None:
    with pytest.raises(PluginError, match="chat"):
        DashboardApi([Section("chat", 1), Section("chat", 2)])


def samples(answer: Answer) -> dict[tuple[str, str], float]:
    """Return values by sample and by labels as they stand in the text."""
    return {
        (it.name, ",".join(it.labels.values())): it.value
        for family in text_string_to_metric_families(answer.content.decode())
        for it in family.samples
    }


async def test_requests_are_counted_by_route() -> None:
    async with running(ThingApi()) as app:
        await app.request("GET", "/api/v1/things")
        await app.request("GET", "/api/v1/things", token=None)
        await app.request("GET", "/api/v1/s3cret")
        await app.request("PROPFIND", "/api/v1/things")
        answer = await app.request("GET", "/metrics", token=None)
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert b"s3cret" not in answer.content.lower()
    found = samples(answer)
    requests = {labels: n for (name, labels), n in found.items() if name.endswith("requests_total")}
    assert requests == {
        "GET,/api/v1/things,200": 1,
        "GET,/api/v1/things,401": 1,
        "GET,unknown,404": 1,
        "OTHER,unknown,405": 1,
    }
    count = ("wellio_http_request_seconds_count", "GET,/api/v1/things")
    assert found[count] == 2
    buckets = [n for (name, _), n in found.items() if name == "wellio_http_request_seconds_bucket"]
    assert len(buckets) == 3 * 14


async def test_what_plugins_measure() -> None:
    metrics = Metrics()
    state: dict[tuple[str, ...], float] = {("chat", "lag"): 2.0}

    async def read() -> dict[tuple[str, ...], float]:
        return state

    metrics.counter("mails", "Mails sent.", ["channel"]).labels("push").inc()
    metrics.histogram("send_seconds", "Time to send.").observe(0.003)
    metrics.gauge("sockets", "Open sockets.", lambda: 7)
    metrics.reading("events", "Events.", ("subscriber", "state"), read)
    async with running(metrics=metrics) as app:
        found = samples(await app.request("GET", "/metrics", token=None))
        assert found["wellio_mails_total", "push"] == 1
        assert found["wellio_send_seconds_count", ""] == 1
        assert found["wellio_sockets", ""] == 7
        assert found["wellio_events", "lag,chat"] == 2
        state.clear()  # a subscriber that is gone is no figure
        assert "wellio_events" not in str(samples(await app.request("GET", "/metrics", token=None)))
