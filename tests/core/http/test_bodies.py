"""Bodies and queries that no honest client sends: the client's fault each time, never a 500."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Literal

import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field
from yarl import URL

from tests.core.http.small_app import SmallApp, running
from wellio.errors import BadRequest, Invalid
from wellio.http import endpoint
from wellio.http.parsing import MAX_CONTAINERS, MAX_DEPTH, QueryReader, parse_json
from wellio.testing import DEADLINE_S
from wellio.wire import Email, Id, Instant, PageQuery, Text, TimeZone, Wire


class Cat(Wire):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=0, le=9)]


class Dog(Wire):
    kind: Literal["dog"]
    born: date


class Anything(Wire):
    text: Text | None = None
    email: Email | None = None
    id: Id | None = None
    at: Instant | None = None
    zone: TimeZone | None = None
    ratio: float | None = None
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    free: Any = None


class EchoApi:
    @endpoint(
        "POST", "//echo", body=Anything, returns=dict[str, Any], public=True, max_body_bytes=2**20
    )
    async def echo(self, request: web.Request, body: Anything) -> dict[str, Any]:
        """Say the same again."""
        return body.model_dump(mode="json", by_alias=True)

    @endpoint("GET", "//echo", query=PageQuery, returns=dict[str, Any], public=True)
    async def echo_query(self, request: web.Request, query: PageQuery) -> dict[str, Any]:
        """Say the same again."""
        return query.model_dump(by_alias=True)

    @endpoint("POST", "//open", body=Anything, returns=dict[str, Any], public=True)
    async def open(self, request: web.Request, body: Anything) -> dict[str, Any]:
        """Take something of anybody."""
        return {}

    @endpoint("POST", "//closed", body=Anything, returns=dict[str, Any], signed_in=True)
    async def closed(self, request: web.Request, body: Anything) -> dict[str, Any]:
        """Take something of somebody."""
        return {}

    @endpoint("POST", "//raw", returns=dict[str, Any], signed_in=True)
    async def raw(self, request: web.Request) -> dict[str, Any]:
        """Take bytes as they come."""
        return {"size": len(await request.content.read())}

    @endpoint(
        "POST", "//small", body=Anything, returns=dict[str, Any], public=True, max_body_bytes=64
    )
    async def small(self, request: web.Request, body: Anything) -> dict[str, Any]:
        """Take little."""
        return {}


@pytest_asyncio.fixture
async def app() -> AsyncIterator[SmallApp]:
    async with running(EchoApi()) as app:
        yield app


def nested(levels: int) -> bytes:
    return b'{"free":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def many(item: bytes, times: int) -> bytes:
    return b'{"free":[' + b",".join([item] * times) + b"]}"


@pytest.mark.parametrize(
    "body, status",
    [
        (b"", 400),
        (b"{", 400),
        (b"{} {}", 400),
        (b"\xef\xbb\xbf{}", 400),
        (b"[" * 50_000, 400),
        (nested(50_000), 400),
        (many(b"[]", MAX_CONTAINERS - 2), 200),
        (many(b"[]", MAX_CONTAINERS - 1), 400),
        (many(b'{"a":{}}', MAX_CONTAINERS // 2), 400),
        (many(b'"[{"', MAX_CONTAINERS), 200),
        (many(rb'"\"[{"', MAX_CONTAINERS), 200),
        (nested(MAX_DEPTH + 1), 400),
        (nested(MAX_DEPTH), 200),
        (rb'{"text": "\ud800"}', 422),
        (rb'{"text": "\ud800"', 400),
        (rb'{"\ud800": 1}', 422),
        (rb'{"text": "\ud800", "text": 1}', 400),
        (nested(MAX_DEPTH + 1)[:-1] + rb',"text": "\ud800"}', 400),
        (b'{"text": "\xff\xfe"}', 400),
        (b'{"text": "\xed\xa0\x80"}', 400),
        (b'{"text": "\x00"}', 400),
        (rb'{"text": "\u0000"}', 422),
        (b'{"ratio": NaN}', 400),
        (b'{"ratio": Infinity}', 400),
        (b'{"ratio": NaN, "free": 9999999999999999999}', 400),
        (b'{"ratio": 1e400}', 422),
        (b'{"ratio": ' + b"9" * 5000 + b"}", 422),
        (b'{"free": [9223372036854775807, -9223372036854775808, "9223372036854775808"]}', 200),
        (b'{"free": [1, 9223372036854775808]}', 422),
        (b'{"free": {"a\\"": 12345678901234567890123}}', 422),
        (b'{"free": [12345678901234567890.5, 1e30]}', 200),
        (b'{"pet": {"kind": "cat", "lives": 99999999999999999999999}}', 422),
        (b'{"pet": {"kind": "s3cret"}}', 422),
        (b'{"pet": {"kind": "dog", "born": "2026-02-30"}}', 422),
        (b'{"text": "a", "text": "b"}', 400),
        (b'{"free": [{"a": 1, "a" : 2}]}', 400),
        (rb'{"text": "a\": \"b", "free": "::"}', 200),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (b"{}", 200),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
async def test_malformed_bodies(app: SmallApp, body: bytes, status: int) -> None:
    answer = await app.request("POST", "/echo", body)
    assert answer.status == status
    assert b"s3cret" not in answer.content


@pytest.mark.parametrize(
    "query, status",
    [
        ("", 200),
        ("?limit=3", 200),
        ("?limit=0", 422),
        ("?limit=101", 422),
        ("?limit=3&limit=3", 422),
        ("?limit=" + "9" * 5000, 422),
        ("?limit=NaN", 422),
        ("?other=1", 422),
        ("?cursor=%ff", 200),
        ("?=1", 422),
        ("?&&&", 200),
    ],
)
async def test_queries(app: SmallApp, query: str, status: int) -> None:
    assert (await app.request("GET", f"/echo{query}")).status == status


async def test_a_value_of_another_kind_is_none(app: SmallApp) -> None:
    """JSON tells numbers, texts and truths apart; a query writes numbers as JSON does."""
    wrong: dict[str, list[Any]] = {
        "id": [1, True],
        "text": [1, True, ["a"]],
        "at": [0, True, 4_102_444_800, 253_402_300_800_000, 2**63 - 1, "631152000", 1.5],
        "zone": [1, "localtime", "Factory"],
        "ratio": ["1", True],
        "pet": [
            *({"kind": "cat", "lives": lives} for lives in ("1", 1.0, True, "1_0")),
            *({"kind": "dog", "born": born} for born in (0, 631_152_000, True, 20_261_201)),
        ],
    }
    for field, values in wrong.items():
        for value in values:
            answer = await app.request("POST", "/echo", orjson.dumps({field: value}))
            assert answer.status == 422, (field, value)
    for limit in ("1_0", "10.0", "+1", "%201", "01", "1e1", "%D9%A3", "true", "", "1%0A"):
        assert (await app.request("GET", f"/echo?limit={limit}")).status == 422, limit


_HALF = (422, "invalid", "must not hold NUL or unpaired surrogates")
_LONG = (422, "too_large", "must be a whole number of 64 bits")


@pytest.mark.parametrize(
    "body, pointer, told",
    [
        (rb'{"text": "\ud800"}', "/text", _HALF),
        (rb'{"text": "\ud83d\ude00 \udc00"}', "/text", _HALF),
        (rb'{"pet": {"kind": "cat", "lives": "\ud800"}}', "/pet/lives", _HALF),
        (rb'{"free": ["", {"a/b": "\udfff"}]}', "/free/1/a~1b", _HALF),
        (
            rb'{"free": {"\ud800": 1}}',
            *("/free", (422, "invalid", "must not have a name with an unpaired surrogate")),
        ),
        (b'{"free": [1, 9223372036854775808]}', "/free/1", _LONG),
        (b'{"free": -9223372036854775809}', "/free", _LONG),
        (b'{"pet": {"kind": "cat", "lives": 99999999999999999999999}}', "/pet/lives", _LONG),
        (b'{"free": ' + b"9" * 5000 + b"}", "/free", _LONG),
        (b'{"ratio": 1e400}', "/ratio", (422, "too_large", "must be a finite number")),
    ],
)
async def test_what_nothing_can_hold_is_named(
    app: SmallApp, body: bytes, pointer: str, told: tuple[int, str, str]
) -> None:
    answer = await app.request("POST", "/echo", body)
    (error,) = answer.data["errors"]
    assert (answer.status, error["code"], error["message"]) == told
    assert error["pointer"] == pointer


@pytest.mark.parametrize(
    "query, pointer, code",
    [
        ("limit=101", "/limit", "too_large"),
        ("limit=9223372036854775808", "/limit", "too_large"),
        ("limit=" + "9" * 3000, "/limit", "too_large"),
        ("limit=-99999999999999999999", "/limit", "too_small"),
        ("limit=x", "/limit", "wrong_type"),
        ("number=9223372036854775808", "/number", "too_large"),
        ("number=-9223372036854775809", "/number", "too_large"),
        ("share=1e400", "/share", "too_large"),
    ],
)
def test_a_number_that_is_too_large_is_told_so(query: str, pointer: str, code: str) -> None:
    class Odd(PageQuery):
        number: int = 0
        share: float | None = None

    with pytest.raises(Invalid) as caught:
        QueryReader(Odd).read(make_mocked_request("GET", f"/?{query}"))
    assert [(it.pointer, it.code) for it in caught.value.errors] == [(pointer, code)]


async def test_raw_bytes_in_the_request_line_are_no_http(app: SmallApp) -> None:
    for target in (b"/echo?\xff=1", b"/echo?cursor=\xc3\xa9", b"/\xff"):
        answer = await app.raw(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (answer.status, answer.data["code"]) == (400, "bad_request")


@pytest.mark.parametrize("query", ["\udcff=1", "cursor=\udcff"])
def test_a_query_of_aiohttps_slower_parser_that_is_no_utf_8(query: str) -> None:
    url = URL.build(path="/echo", query_string=query, encoded=True)
    with pytest.raises(BadRequest):
        QueryReader(PageQuery).read(make_mocked_request("GET", "/").clone(rel_url=url))


@pytest.mark.parametrize(
    "content_type, status",
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ("application/json; charset=UTF8", 200),
        ('application/json;charset="utf-8"', 200),
        ("application/json;", 200),
        ("application/json; charset=utf-16", 415),
        ("application/json; charset=utf-8; charset=utf-7", 415),
        ("application/json, text/plain", 415),
        ("application/jsonx", 415),
        ("application/json" + "(" * 7000, 415),
        ("application/json;" + "(" * 7000, 415),
        ("application/json" + ' ;a="' * 1500, 415),
        ("application/json" + "; " * 3500, 415),
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_content_types(app: SmallApp, content_type: str, status: int) -> None:
    answer = await app.request("POST", "/echo", b"{}", headers={"Content-Type": content_type})
    assert answer.status == status


HEAD = b"POST /small HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def test_a_compressed_body_is_refused(app: SmallApp) -> None:
    rest = b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nJUNK"
    assert (await app.raw(HEAD + rest)).status == 415


@pytest.mark.parametrize("size, status", [(64, 200), (65, 413)])
async def test_the_largest_body(app: SmallApp, size: int, status: int) -> None:
    body = b'{"free": "' + b"a" * (size - 12) + b'"}'
    whole = b"Content-Length: %d\r\n\r\n%b" % (size, body)
    chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (30, body[:30], size - 30, body[30:])
    assert (await app.raw(HEAD + whole)).status == status
    assert (await app.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)).status == status


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")  # on purpose
async def test_people_whom_nobody_knows_may_send_less(app: SmallApp) -> None:
    for path, token, size in (("/open", None, 2**14), ("/closed", "coach", 2**20)):
        for length, status in ((size, 200), (size + 1, 413)):
            body = b'{"free": "' + b"a" * (length - 12) + b'"}'
            assert (await app.request("POST", path, body, token=token)).status == status


async def test_a_flood_of_wrong_fields_is_not_repeated_field_by_field(app: SmallApp) -> None:
    flood = b"{" + b",".join(b'"f%d":0' % number for number in range(60_000)) + b"}"
    answer = await app.request("POST", "/echo", flood)
    assert answer.status == 422
    errors = [(error["pointer"], error["code"]) for error in answer.data["errors"]]
    assert errors == [("", "too_many_errors")]
    some = b"{" + b",".join(b'"f%d":0' % number for number in range(1000)) + b"}"
    assert len((await app.request("POST", "/echo", some)).data["errors"]) == 1000


async def test_a_field_that_comes_often_is_named_once(app: SmallApp) -> None:
    answer = await app.request("GET", "/echo?" + "limit=0&" * 900)
    codes = [(error["pointer"], error["code"]) for error in answer.data["errors"]]
    assert codes == [("/limit", "duplicate"), ("/limit", "too_small")]


WAITING = b"Host: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "head, first",
    [
        (b"POST /closed HTTP/1.1\r\nContent-Length: 2\r\n", 401),
        (b"POST /open HTTP/1.1\r\nContent-Length: 99999\r\n", 413),
        (b"POST /open HTTP/1.1\r\nContent-Encoding: br\r\nContent-Length: 2\r\n", 415),
        (b"POST /open HTTP/1.1\r\nContent-Length: 2\r\n", 100),
        (b"POST /raw HTTP/1.1\r\nContent-Length: 2\r\n", 401),
        (b"POST /raw HTTP/1.1\r\nAuthorization: Bearer coach\r\nContent-Length: 2\r\n", 100),
        (b"POST /open HTTP/1.0\r\nContent-Length: 2\r\n", None),
    ],
)
async def test_a_body_is_asked_for_only_if_it_is_wanted(
    app: SmallApp, head: bytes, first: int | None
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
    writer.write(head + WAITING + b"\r\n")
    try:
        async with asyncio.timeout(DEADLINE_S):
            if first is None:  # HTTP/1.0 does not know the word
                await asyncio.sleep(0.1)
            else:
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 %d " % first)
            if first in {100, None}:
                writer.write(b"{}")
                assert b" 200 OK" in await reader.readuntil(b"\r\n")
    finally:
        writer.close()


async def test_two_credentials_are_none(app: SmallApp) -> None:
    lines = b"Host: x\r\nAuthorization: Bearer coach\r\nAuthorization: Bearer client\r\n"
    answer = await app.raw(b"POST /raw HTTP/1.1\r\n" + lines + b"Content-Length: 2\r\n\r\n{}")
    assert (answer.status, answer.data["code"]) == (400, "bad_request")


async def test_a_declared_size_is_refused_before_the_body_comes(app: SmallApp) -> None:
    assert (await app.raw(HEAD + b"Content-Length: 99999999999\r\n\r\n")).status == 413


async def test_a_body_whose_chunks_are_broken(app: SmallApp) -> None:
    answer = await app.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}\r\nno\r\n")
    assert (answer.status, answer.data["code"]) == (400, "bad_request")


SEARCH = settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from([*Anything.model_fields, "other", "kind"])


@SEARCH
@given(body=st.binary() | st.dictionaries(FIELDS, JSON).map(lambda it: json.dumps(it).encode()))
async def test_no_body_is_a_server_error(app: SmallApp, body: bytes) -> None:
    assert (await app.request("POST", "/echo", body)).status < 500


@SEARCH
@given(target=st.binary(max_size=40))
async def test_no_query_is_a_server_error(app: SmallApp, target: bytes) -> None:
    clean = re.sub(rb"[\x00-\x20\x7f#]", b"%00", target)
    answer = await app.raw(b"GET /echo?limit=" + clean + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status < 500


@SEARCH
@given(
    value=JSON.filter(lambda it: "Infinity" not in json.dumps(it) and "NaN" not in json.dumps(it))
)
def test_parsing_takes_all_honest_json(value: Any) -> None:
    try:
        body = orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):  # integers past 64 bits
        return
    assert parse_json(body) == orjson.loads(body)


@SEARCH
@given(
    names=st.lists(st.text(alphabet='a":,{}\\é '), min_size=1, max_size=5), value=st.text('":,\\')
)
def test_parsing_refuses_a_name_that_comes_twice(names: list[str], value: str) -> None:
    pairs = [f"{json.dumps(name)} : {json.dumps(value)}" for name in names]
    body = ("{" + ", ".join(pairs) + "}").encode()
    if len(set(names)) == len(names):
        assert len(parse_json(body)) == len(names)
    else:
        with pytest.raises(BadRequest):
            parse_json(body)
