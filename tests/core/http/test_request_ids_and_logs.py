"""Request ids and log lines: each answer, problem and line of a request carries the same id."""

import io
import logging
import re
from typing import Any

import pytest
import structlog
from aiohttp import web

from tests.core.http.small_app import logged, running
from wellio.http import endpoint
from wellio.observe.log import REQUEST_ID, configure_logging, get_logger, plugin_of


class LoggingApi:
    @endpoint("GET", "//log", public=True)
    async def log(self, request: web.Request) -> dict[str, Any]:
        """Log in every way."""
        get_logger("wellio_chat.service").info("message stored", message_id="m1")
        structlog.get_logger().info("from structlog itself")
        logging.getLogger("aiohttp.server").warning("from %s", "aiohttp", extra={"size": 3})
        logging.getLogger("asyncpg.pool").error("from asyncpg")
        return {}


@pytest.mark.parametrize(
    "given, is_taken",
    [
        ("abcdefgh", True),
        ("A-b_c.d9" * 16, True),
        ("A-b_c.d9" * 16 + "x", False),
        ("abcdefg", False),
        ("abc defgh", False),
        ("abcdefgh<", False),
        ("äbcdefgh", False),
        (None, False),
    ],
)
async def test_a_sane_request_id_is_taken(given: str | None, is_taken: bool) -> None:
    sent = {} if given is None else {"X-Request-Id": given}
    async with running(LoggingApi()) as app:
        good = (await app.request("GET", "/log", headers=sent)).headers["X-Request-Id"]
        bad = await app.request("GET", "/nothing", headers=sent)
    assert bad.data["requestId"] == bad.headers["X-Request-Id"]
    for answered in (good, bad.data["requestId"]):
        assert (answered == given) is is_taken
        assert re.fullmatch(r"[A-Za-z0-9._-]{8,128}", answered)
    assert is_taken or good != bad.data["requestId"]


async def test_every_line_of_a_request_has_its_id_and_its_plugin() -> None:
    with logged() as lines:
        async with running(LoggingApi()) as app:
            await app.request("GET", "/log", headers={"X-Request-Id": "request-1"})
    found = {line["event"]: line for line in lines.all()}
    assert {line["requestId"] for line in found.values()} == {"request-1"}
    assert {event: line["plugin"] for event, line in found.items()} == {
        "message stored": "chat",
        "from structlog itself": "tests",
        "from aiohttp": "aiohttp",
        "from asyncpg": "asyncpg",
    }
    assert found["message stored"]["message_id"] == "m1"
    assert found["from aiohttp"]["size"] == 3
    for line in found.values():
        assert {"at", "level", "logger", "event", "plugin", "requestId"} <= line.keys()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["at"])


def test_outside_of_a_request_there_is_no_id_and_another_task_may_set_one() -> None:
    with logged() as lines:
        get_logger("wellio.jobs").info("outside")
        token = REQUEST_ID.set("job-12345")
        get_logger("wellio.jobs").info("inside")
        REQUEST_ID.reset(token)
        logging.getLogger("wellio.realtime").info("event", extra={"requestId": "event-1234"})
    assert [line["requestId"] for line in lines.all()] == [None, "job-12345", "event-1234"]
    assert {line["plugin"] for line in lines.all()} == {"core"}


async def test_the_access_log_names_routes_and_nothing_of_the_request() -> None:
    with logged() as lines:
        async with running(LoggingApi(), access_log=True) as app:
            await app.request("GET", "/nothing/s3cret?token=s3cret", token="s3cret")
            await app.request("GET", "/metrics?token=s3cret")
    assert "s3cret" not in lines.text
    assert [(it["method"], it["route"], it["status"]) for it in lines.all()] == [
        ("GET", "unknown", 404),
        ("GET", "/metrics", 200),
    ]


async def test_without_the_access_log_a_request_is_no_line() -> None:
    with logged() as lines:
        async with running(LoggingApi()) as app:
            await app.request("GET", "/metrics")
            await app.request("GET", "/nothing")
    assert lines.all() == []


def test_levels_and_odd_text() -> None:
    with logged("warning") as lines:
        log = get_logger("wellio.test")
        log.info("too quiet")
        log.warning("odd", text="\ud800 \n", thing=object)
    [line] = lines.all()
    assert line["text"] == "\ud800 \n"
    assert lines.text.count("\n") == 1


@pytest.mark.parametrize(
    "form, is_terminal, is_json",
    [("auto", True, False), ("auto", False, True), ("json", True, True), ("console", False, False)],
)
def test_the_form_follows_the_setting_and_the_terminal(
    form: Any, is_terminal: bool, is_json: bool
) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    with logged():  # puts everything back
        stream = Stream()
        configure_logging("info", form, stream)
        get_logger("wellio.test").info("hello", count=3)
    assert stream.getvalue().startswith("{") is is_json
    assert ("\x1b[" in stream.getvalue()) is (is_terminal and not is_json)
    assert "hello" in stream.getvalue()
    assert "core" in stream.getvalue()


@pytest.mark.parametrize(
    "module, plugin",
    [
        ("wellio.db.sqlite", "core"),
        ("wellio_chat", "chat"),
        ("wellio_plugin_hello.api", "hello"),
        ("aiohttp.access", "aiohttp"),
        ("root", "root"),
    ],
)
def test_plugins_of_modules(module: str, plugin: str) -> None:
    assert plugin_of(module) == plugin
