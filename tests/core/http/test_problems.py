"""Problems: every way of failing has the one form, says nothing of the input, and leaves a line."""

import asyncio
from typing import Any

import pydantic
import pytest
from aiohttp import web

from tests.core.http.small_app import SmallApp, logged, running
from wellio import errors
from wellio.field_errors import invalid_from_pydantic
from wellio.http import endpoint
from wellio.http.problems import BY_STATUS
from wellio.testing import DEADLINE_S
from wellio.wire import Wire

SECRET = "s3cret"


class Own(Wire):
    number: int


async def fail(kind: str) -> None:
    """Fail in one of the ways in which code does."""
    match kind:
        case "pydantic":
            Own.model_validate({"number": SECRET})
        case "value":
            int(SECRET)
        case "key":
            dict[str, int]()[SECRET]
        case "timeout":
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        case "connection":
            raise ConnectionResetError(SECRET)
        case "chained":
            try:
                int(SECRET)
            except ValueError as error:
                raise errors.DatabaseError("the schema is newer") from error
        case _:
            raise BY_STATUS[int(kind)]("Because.", colour="red")


class FailingApi:
    @endpoint("GET", "//fail/{kind}", public=True, errors=tuple(BY_STATUS.values()))
    async def fail(self, request: web.Request) -> dict[str, Any]:
        """Fail."""
        await fail(request.match_info["kind"])
        return {}

    @endpoint("GET", "//unserialisable", public=True)
    async def unserialisable(self, request: web.Request) -> dict[str, Any]:
        """Return what is no JSON."""
        return {"value": object()}

    @endpoint("GET", "//half", public=True, media_type="text/plain")
    async def half(self, request: web.Request) -> web.StreamResponse:
        """Fail in the middle of an answer."""
        response = web.StreamResponse(headers={"Content-Type": "text/plain", "Content-Length": "9"})
        await response.prepare(request)
        await response.write(b"half")
        raise RuntimeError(SECRET)

    @endpoint("GET", "//moved", public=True)
    async def moved(self, request: web.Request) -> dict[str, Any]:
        """Send elsewhere."""
        raise web.HTTPFound("/elsewhere")


@pytest.mark.parametrize("status", BY_STATUS)
async def test_every_status_has_the_form(status: int) -> None:
    async with running(FailingApi()) as app:
        answer = await app.request("GET", f"/fail/{status}", headers={"X-Request-Id": "request-1"})
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] == "request-1"
    assert answer.status == status
    assert answer.data == {
        "type": "about:blank",
        "title": BY_STATUS[status].title,
        "status": status,
        "detail": "Because.",
        "code": BY_STATUS[status].default_code,
        "requestId": "request-1",
        "colour": "red",
    }


def test_every_problem_of_ours_has_its_status() -> None:
    assert set(BY_STATUS.values()) == set(errors.Problem.__subclasses__())


@pytest.mark.parametrize(
    "kind, name, message",
    [
        ("pydantic", "ValidationError", ""),
        ("value", "ValueError", ""),
        ("key", "KeyError", ""),
        ("timeout", "TimeoutError", ""),
        ("connection", "ConnectionResetError", ""),
        ("chained", "DatabaseError", ": the schema is newer"),
    ],
)
async def test_what_nobody_planned_is_a_500_and_a_line_without_contents(
    kind: str, name: str, message: str
) -> None:
    with logged() as lines:
        async with running(FailingApi()) as app:
            answer = await app.request(
                "GET", f"/fail/{kind}?q={SECRET}", headers={"X-Request-Id": "request-1"}
            )
            assert (answer.status, answer.data["code"]) == (500, "internal_error")
            assert (await app.request("GET", "/metrics")).status == 200
    [line] = lines.all()
    assert SECRET not in answer.content.decode() + lines.text.replace(f"int({SECRET})", "")
    assert line["requestId"] == "request-1"
    assert (line["level"], line["route"], line["error"]) == ("error", "/fail/{kind}", name)
    assert line["exception"].endswith(f"\n{name}{message}")
    assert "test_problems.py" in line["exception"]


async def test_a_refusal_of_ours_with_a_5xx_is_a_warning_without_a_traceback() -> None:
    with logged() as lines:
        async with running(FailingApi()) as app:
            await app.request("GET", "/fail/503")
    [line] = lines.all()
    assert (line["level"], line["code"]) == ("warning", "unavailable")
    assert "exception" not in line


async def test_an_answer_that_is_no_json_is_a_500() -> None:
    with logged() as lines:
        async with running(FailingApi()) as app:
            assert (await app.request("GET", "/unserialisable")).status == 500
    assert [line["error"] for line in lines.all()] == ["TypeError"]


async def test_half_an_answer_ends_with_the_connection() -> None:
    with logged() as lines:
        async with running(FailingApi()) as app:
            with pytest.raises(asyncio.IncompleteReadError):
                await app.raw(b"GET /half HTTP/1.1\r\nHost: x\r\n\r\n")
    assert [line["error"] for line in lines.all()] == ["RuntimeError"]


async def test_a_redirect_is_no_failure() -> None:
    async with running(FailingApi()) as app:
        answer = await app.raw(b"GET /moved HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (answer.status, answer.headers["Location"]) == (302, "/elsewhere")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01 a TLS hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"s3cret / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\ns3cret\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"s3cret" * 3000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: s3cret\r\n\r\n",
    ],
    ids=range(6),
)
async def test_what_is_no_request_is_answered_in_the_same_form(request_: bytes) -> None:
    with logged() as lines:
        async with running(FailingApi()) as app:
            answer = await app.raw(request_)
    assert (answer.status, answer.data["code"]) == (400, "bad_request")
    assert answer.data["requestId"] == answer.headers["X-Request-Id"]
    assert answer.headers["Server"] == "wellio"
    assert b"s3cret" not in answer.content
    assert lines.all() == []


async def test_a_client_that_goes_away_is_no_failure() -> None:
    entered, left = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        entered.set()
        await left.wait()
        raise ConnectionResetError(SECRET)

    with logged() as lines:
        async with running(routes=[web.get("/slow", slow)]) as app:
            _, writer = await asyncio.open_connection("127.0.0.1", app.port)
            writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            await asyncio.wait_for(entered.wait(), DEADLINE_S)
            writer.transport.abort()
            await closed(app)
            left.set()
    assert lines.all() == []


async def closed(app: SmallApp) -> None:
    """Wait until the server has noticed that its only connection is gone."""
    server = app.runner.server
    assert server is not None
    async with asyncio.timeout(DEADLINE_S):
        while any(it.transport for it in server.connections):  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0)


def test_an_error_of_pydantic_never_quotes_the_input() -> None:
    class Cat(Wire):
        kind: str

    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(dict[str, Cat]).validate_python({"a": {"kind": [SECRET]}})
    problem = invalid_from_pydantic(caught.value)
    assert SECRET not in str(problem.to_dict(None))
