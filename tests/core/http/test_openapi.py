"""The description: valid, complete, and what the page shows; and what holds answers against it."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

import pytest
import pytest_asyncio
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.core.http.small_app import ID, Answer, SmallApp, running
from tests.core.http.test_endpoints import Filter, ThingApi
from tests.core.http.test_problems import FailingApi
from wellio.http import DashboardApi, HealthApi, endpoint
from wellio.testing.conformance import Conformance
from wellio.wire import ABSENT, Name, Wire

OPEN = ["/livez", "/readyz", "/health", "/health/{plugin}", "/metrics", "/openapi.json", "/docs"]


def apis() -> list[object]:
    async def ready() -> None: ...

    health = HealthApi("1.2.3", ready=ready, core=[], plugins={})
    return [ThingApi(), FailingApi(), DashboardApi([]), health]


@pytest_asyncio.fixture
async def app() -> AsyncIterator[SmallApp]:
    async with running(*apis()) as app:
        yield app


async def test_the_description_is_valid_and_served_as_it_is(app: SmallApp) -> None:
    answer = await app.request("GET", "/openapi.json", token=None)
    assert answer.data == app.http.openapi
    assert list(OpenAPIV31SpecValidator(answer.data).iter_errors()) == []
    assert (answer.data["info"]["title"], answer.data["info"]["version"]) == ("Wellio", "1.2.3")
    etag = answer.headers["ETag"]
    again = await app.request("GET", "/openapi.json", headers={"If-None-Match": etag})
    assert (again.status, again.content) == (304, b"")


async def test_an_operation_says_everything(app: SmallApp) -> None:
    paths = app.http.openapi["paths"]
    create = paths["/api/v1/things"]["post"]
    assert create["operationId"] == "createThing"
    assert (create["summary"], create["tags"]) == ("Make a thing.", ["tests"])
    assert [it["name"] for it in create["parameters"]] == ["atMost", "tag"]
    assert list(create["responses"]) == [
        *("201", "200", "400", "401", "403", "409", "413", "415", "422", "429", "500", "503")
    ]
    assert create["responses"]["409"] == {"$ref": "#/components/responses/Conflict"}
    shared = app.http.openapi["components"]["responses"]["Conflict"]
    assert shared["description"] == "Conflict: `name_taken`."
    search = paths["/api/v1/things"]["get"]
    assert search["description"] == "And say for whom."
    change = paths["/api/v1/things/{id}/parts/{part}"]["patch"]
    *in_path, if_match = change["parameters"]
    assert [(it["name"], it["schema"].get("format")) for it in in_path] == [
        ("id", "uuid"),
        ("part", None),
    ]
    assert if_match == {"$ref": "#/components/parameters/If-Match"}
    assert {path: paths[path]["get"]["security"] for path in OPEN} == {path: [] for path in OPEN}
    assert create["security"] == [{"bearer": []}, {"apiKey": ["things.write"]}]
    assert "security" not in search


class Plain(Wire):
    title: Name


class Part(Wire):
    title: Name | None = None
    tags: tuple[Name, ...] = ()


class Change(Wire):
    name: Name = ABSENT
    state: Literal["active", "gone"] = "active"
    parts: tuple[Part, ...] = ()
    plain: Plain | None = ABSENT


class ChangeApi:
    @endpoint("PATCH", "/changes", body=Change, returns=Change, query=Filter, signed_in=True)
    async def change(self, request: web.Request, query: Filter, body: Change) -> dict[str, Any]:
        """Change it."""
        return body.model_dump(mode="json", by_alias=True)


async def test_what_may_be_left_out_of_a_body_has_no_default() -> None:
    async with running(ChangeApi()) as app:
        answer = await app.request("PATCH", "/api/v1/changes?atMost=3", b"{}")
        openapi = app.http.openapi
    assert answer.data == {"state": "active", "parts": []}
    schemas, operation = openapi["components"]["schemas"], openapi["paths"]["/api/v1/changes"]
    sent = operation["patch"]["requestBody"]["content"]["application/json"]["schema"]
    shown = operation["patch"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert (sent["$ref"], shown["$ref"]) == (
        "#/components/schemas/Change-Input",
        "#/components/schemas/Change-Output",
    )
    for name in ("Change-Input", "Part-Input"):
        assert "required" not in schemas[name]
        assert "default" not in str(schemas[name])
    assert schemas["Change-Output"]["properties"]["state"]["default"] == "active"
    assert schemas["Part-Output"]["properties"]["tags"]["default"] == []
    assert "Plain" in schemas  # it is the same both ways
    at_most = next(it for it in operation["patch"]["parameters"] if it.get("name") == "atMost")
    assert at_most["schema"]["default"] == 10


async def test_the_page_needs_nobody_else(app: SmallApp) -> None:
    page = await app.request("GET", "/docs", token=None)
    text = page.content.decode()
    links = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert len(links) == 4
    policy = page.headers["Content-Security-Policy"]
    assert "//" not in text
    assert "unsafe-eval" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "<script>" not in text
    for link in links:
        asset = await app.request("GET", link, token=None)
        assert asset.status == 200
        assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert re.search(r"-[0-9a-f]{16}\.\w+$", link)
    missing = await app.request("GET", "/docs/swagger-ui.css", token=None)
    assert missing.status == 404


THING = b'{"id": "%b", "name": "Cup", "sizeM": 2}' % ID.encode()
JSON = {"Content-Type": "application/json", "Location": "/"}
NOWHERE = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}


@pytest.mark.parametrize(
    "method, path, status, headers, content, complaint",
    [
        ("POST", "/api/v1/things", 201, JSON, THING, None),
        ("POST", "/api/v1/things?atMost=1", 201, JSON, THING, None),
        ("POST", "/api/v1/things", 202, JSON, THING, "status is not documented"),
        ("POST", "/api/v1/things", 201, JSON, b"{}", "'name' is a required property"),
        ("POST", "/api/v1/things", 201, JSON, THING.replace(b"2", b'"2"'), "sizeM"),
        ("POST", "/api/v1/things", 201, JSON, b'{"id": "1", "name": "Cup"}', "'uuid'"),
        ("POST", "/api/v1/things", 201, JSON, THING.replace(b"sizeM", b"size_m"), "size_m"),
        ("POST", "/api/v1/things", 201, JSON, b"", "no JSON"),
        ("POST", "/api/v1/things", 201, {"Location": "/"}, THING, "instead of application/json"),
        (
            "POST",
            "/api/v1/things",
            201,
            {"Content-Type": JSON["Content-Type"]},
            THING,
            "no Location",
        ),
        ("POST", "/api/v1/things", 409, JSON, b"{}", "instead of application/problem"),
        ("POST", "/api/v1/things", 409, PROBLEM, b"{}", "'type' is a required property"),
        ("DELETE", f"/api/v1/things/{ID}", 204, {}, b"", None),
        ("DELETE", f"/api/v1/things/{ID}", 204, {}, b"x", "a body"),
        ("PUT", "/api/v1/things", 200, JSON, b"{}", "method is not documented"),
        ("PUT", "/api/v1/things", 405, PROBLEM, b"{}", "no Allow"),
        ("GET", "/api/v1/nothing", 200, JSON, b"{}", "path is not documented"),
        ("GET", "/api/v1/nothing", 404, JSON, b"{}", "instead of application/problem"),
    ],
)
async def test_an_answer_that_is_not_as_described_is_an_error(
    app: SmallApp,
    method: str,
    path: str,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    complaint: str | None,
) -> None:
    check: Any = Conformance(app.http.openapi)
    answer = Answer(status, {"X-Request-Id": "1", **headers}, content)
    if complaint is None:
        check(method, path, answer)
    else:
        with pytest.raises(AssertionError, match=complaint):
            check(method, path, answer)
