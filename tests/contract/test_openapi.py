"""`/openapi.json` is valid, whole, and written for somebody who reads it.

That every answer is as it says is checked by `wellio.testing` with every request of every test.
"""

import re
from collections.abc import Iterator
from typing import Any

from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from wellio import WELLIO
from wellio.realtime import EventRouter

#: Routes that speak no HTTP of ours; `docs/api.md` tells of them.
REALTIME = {("GET", "/ws"), ("*", "/socket.io/")}
METHODS = {"get", "put", "post", "patch", "delete"}


async def test_it_is_openapi_3_1(openapi: Any) -> None:
    assert openapi["openapi"].startswith("3.1.")
    assert list(map(str, OpenAPIV31SpecValidator(openapi).iter_errors())) == []


async def test_every_route_is_in_it_and_every_path_is_a_route(
    application: web.Application, openapi: Any
) -> None:
    routes = {
        (route.method, _plain(route.resource.canonical))
        for route in application.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    documented = {
        (method.upper(), _plain(path))
        for path, operations in openapi["paths"].items()
        for method in operations
    }
    assert routes - documented == REALTIME
    assert documented - routes == set()


async def test_everything_in_it_has_a_name_and_a_description(openapi: Any) -> None:
    assert [where for where, text in _texts(openapi) if not text.strip()] == []
    operations = [
        (f"{method} {path}", operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    assert [name for name, operation in operations if not operation["summary"].strip(" .")] == []
    assert [name for name, operation in operations if not operation["tags"]] == []
    ids = [operation["operationId"] for _, operation in operations]
    assert len(ids) == len(set(ids))
    assert [it for it in ids if not re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)*", it)] == []
    schemas = openapi["components"]["schemas"]
    assert [it for it in schemas if not re.fullmatch(r"([A-Z][a-z0-9]+)+", it)] == []
    assert [it for it in schemas if it.endswith("Out")] == []
    titles = {where.rpartition("/")[0] for where, _ in _texts(openapi) if where.endswith("/title")}
    assert titles - {f"/components/schemas/{name}" for name in schemas} == {"/info"}
    assert {it["name"] for it in openapi["tags"]} == {
        tag for _, operation in operations for tag in operation["tags"]
    }
    for name, operation in operations:
        for status, answer in _responses(openapi, operation):
            assert "X-Request-Id" in answer["headers"], name
            assert ("Location" in answer["headers"]) == (status == "201"), name


#: Some of every shape that a path has.
NAMES = {
    "GET /api/v1/clients": "listClients",
    "GET /api/v1/clients/{id}": "getClient",
    "POST /api/v1/clients": "createClient",
    "PATCH /api/v1/clients/{id}": "updateClient",
    "PUT /api/v1/clients/{id}/coaches/{coachId}": "putClientCoach",
    "GET /api/v1/clients/{id}/timeline": "listClientTimeline",
    "DELETE /api/v1/conversations/{id}/members/{userId}": "deleteConversationMember",
    "POST /api/v1/conversations/{id}/read": "readConversation",
    "GET /api/v1/auth/sessions/{id}": "getAuthSession",
    "POST /api/v1/auth/login": "login",
    "POST /api/v1/auth/password": "changePassword",
    "POST /api/v1/invitations/redeem": "redeemInvitation",
    "GET /api/v1/me": "getMe",
    "PATCH /api/v1/practice": "updatePractice",
    "DELETE /api/v1/api-keys/{id}": "deleteApiKey",
}


async def test_operations_are_called_by_what_they_do(openapi: Any) -> None:
    for call, name in NAMES.items():
        method, _, path = call.partition(" ")
        assert openapi["paths"][path][method.lower()]["operationId"] == name


async def test_every_answer_in_it_is_described(openapi: Any) -> None:
    """A success says what it holds, and what needs a token says what comes without one."""
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            good = [status for status in operation["responses"] if status < "300"]
            assert good, path
            for status in good:
                has_content = "content" in operation["responses"][status]
                assert has_content == (status != "204"), f"{method} {path} {status}"
            assert operation.get("security") == [] or "401" in operation["responses"], path


async def test_everything_that_goes_over_sockets_is_in_it(
    application: web.Application, openapi: Any
) -> None:
    router = EventRouter(application[WELLIO].hooks.of("register_socket_events"))
    told, schemas = openapi["x-socket-events"], openapi["components"]["schemas"]
    assert list(told["client"]) == [event.name for event in router.events]
    assert list(told["server"]) == [event.name for event in router.emitted]
    for events in told.values():
        assert all(event["summary"] for event in events.values())
    for kind, part in (("ClientEvents", "client"), ("ServerEvents", "server")):
        assert schemas[kind]["properties"].keys() == told[part].keys()
    log = {entry["$ref"].rpartition("/")[2] for entry in schemas["LogEntry"]["oneOf"]}
    for name in log:  # what a socket told at once, `sync` and the log tell again
        (event,) = [schemas[name]["properties"]["event"]["const"]]
        assert schemas[name]["properties"]["data"] == told["server"][event]["data"]
    sent = {event["data"]["$ref"].rpartition("/")[2]: event for event in told["server"].values()}
    logged = {name for name in sent if "eventSeq" in schemas[name]["properties"]}
    assert len(logged) == len(log)


async def test_every_refusal_in_it_has_its_codes(openapi: Any) -> None:
    """The test client holds each answer against them, so there is none that is not in it."""
    codes = openapi["components"]["schemas"]["ErrorCode"]
    means = dict(zip(codes["enum"], codes["x-enum-descriptions"], strict=True))
    assert [code for code, meaning in means.items() if not re.match(r"\d{3}: \w.", meaning)] == []
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            for status, answer in _responses(openapi, operation):
                if status >= "400":
                    (media,) = answer["content"].values()
                    own = media["schema"]["allOf"][1]["properties"]["code"]["enum"]
                    assert own, f"{method} {path} {status}"
                    assert {means[code].partition(":")[0] for code in own} == {status}
    sent = openapi["paths"]["/api/v1/conversations/{id}/messages"]["post"]["responses"]["409"]
    assert "`local_id_reused`" in sent["description"]


def _responses(openapi: Any, operation: Any) -> Iterator[tuple[str, Any]]:
    shared = openapi["components"]["responses"]
    for status, answer in operation["responses"].items():
        yield status, shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _texts(node: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Find every description and title, and where it stands."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"description", "title", "summary"} and isinstance(value, str):
                yield f"{where}/{key}", value
            yield from _texts(value, f"{where}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _texts(value, f"{where}/{index}")
