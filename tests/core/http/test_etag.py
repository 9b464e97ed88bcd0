"""Entity tags: what names a state, what knows it already, and what insists on it."""

import re
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.core.http.small_app import ID, Answer, SmallApp, logged, running
from wellio.db.postgres_tx import PostgresTx
from wellio.http import IF_MATCH, Reply, endpoint
from wellio.http.etag import tag_of
from wellio.wire import Page, Wire

PATH = f"/api/v1/cups/{ID}"
TAG = re.compile(r'"[0-9a-f]{32}"')


#: The transaction of a PATCH that has read its row `{for_update}`.
LOCKED = PostgresTx(None)
LOCKED.has_locked = True


class Cup(Wire):
    colour: str


class CupApi:
    """One cup; `forget` leaves out the check that every PATCH needs."""

    def __init__(self) -> None:
        self.colour = "red"

    @endpoint("GET", "/cups/{id}", returns=Cup, signed_in=True)
    async def read(self, request: web.Request) -> dict[str, Any]:
        """Read a cup."""
        return {"colour": self.colour}

    @endpoint("PATCH", "/cups/{id}", body=Cup, returns=Cup, signed_in=True)
    async def change(self, request: web.Request, body: Cup) -> dict[str, Any]:
        """Change a cup."""
        request[IF_MATCH].check(LOCKED, {"colour": self.colour})
        self.colour = body.colour
        return {"colour": self.colour}

    @endpoint("PATCH", "/cups/{id}/forget", body=Cup, returns=Cup, signed_in=True)
    async def forget(self, request: web.Request, body: Cup) -> dict[str, Any]:
        """Change a cup, whatever was insisted on."""
        return {"colour": body.colour}

    @endpoint("GET", "/cups", returns=Page[Cup], signed_in=True)
    async def list(self, request: web.Request) -> dict[str, Any]:
        """List cups."""
        return {"items": [], "nextCursor": None}

    @endpoint("GET", "/cups/{id}/own", returns=Cup, also=(202,), signed_in=True)
    async def own(self, request: web.Request) -> Reply:
        """Answer with a tag of its own, or not yet."""
        headers = {"ETag": '"mine"'}
        return Reply({"colour": "red"}, 202 if "Later" in request.headers else 200, headers)


async def patch(app: SmallApp, colour: str, if_match: str | None, path: str = PATH) -> Answer:
    headers = {} if if_match is None else {"If-Match": if_match}
    return await app.request("PATCH", path, b'{"colour": "%s"}' % colour.encode(), headers=headers)


async def test_a_tag_names_a_state() -> None:
    async with running(CupApi()) as app:
        first, again = [await app.request("GET", PATH) for _ in range(2)]
        assert TAG.fullmatch(first.headers["ETag"])
        assert first.headers["ETag"] == again.headers["ETag"] == f'"{tag_of(first.content)}"'
        head = await app.request("HEAD", PATH)
        assert (head.headers["ETag"], head.content) == (first.headers["ETag"], b"")
        changed = await patch(app, "blue", None)
        read = await app.request("GET", PATH)
        assert changed.headers["ETag"] == read.headers["ETag"] != first.headers["ETag"]
        assert (await patch(app, "red", None)).headers["ETag"] == first.headers["ETag"]


async def test_only_one_object_in_json_has_one() -> None:
    async with running(CupApi()) as app:
        assert "ETag" not in (await app.request("GET", "/api/v1/cups")).headers
        assert "ETag" not in (await app.request("GET", "/metrics", token=None)).headers
        own = await app.request("GET", f"{PATH}/own")
        assert (own.status, own.headers["ETag"]) == (200, '"mine"')
        known = {"If-None-Match": '"mine"'}
        assert (await app.request("GET", f"{PATH}/own", headers=known)).status == 304
        later = await app.request("GET", f"{PATH}/own", headers={**known, "Later": "1"})
        assert later.status == 202


@pytest.mark.parametrize(
    "known, status",
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"other", {tag}', 304),
        ('"other",W/{tag} , "more"', 304),
        ("*", 304),
        ('"other"', 200),
        ("W/", 200),
        ("", 200),
        ('"*"', 200),
        ("garbage", 200),
    ],
)
async def test_who_knows_it_gets_no_body(known: str, status: int) -> None:
    async with running(CupApi()) as app:
        tag = (await app.request("GET", PATH)).headers["ETag"]
        for method in ("GET", "HEAD"):
            headers = {"If-None-Match": known.format(tag=tag)}
            answer = await app.request(method, PATH, headers=headers)
            assert (answer.status, answer.headers["ETag"]) == (status, tag)
            assert answer.headers["Cache-Control"] == "no-store"
            assert bool(answer.content) == (status == 200 and method == "GET")


@pytest.mark.parametrize(
    "if_match, status",
    [
        (None, 200),
        ("{tag}", 200),
        ('"other", {tag}', 200),
        ('"other",, {tag} ,', 200),
        ("*", 200),
        ('"other"', 412),
        ('"*"', 412),
        ('""', 412),
        ("W/{tag}", 412),
        ('W/{tag}, W/"other"', 412),
        ("garbage", 400),
        ('"open', 400),
        ("{tag}, garbage", 400),
        ("*, {tag}", 400),
        ("", 400),
        (",", 400),
        (" " * 4000 + '"' + " " * 4000, 400),
    ],
)
async def test_a_patch_insists(if_match: str | None, status: int) -> None:
    api = CupApi()
    async with running(api) as app:
        tag = (await app.request("GET", PATH)).headers["ETag"]
        given = None if if_match is None else if_match.format(tag=tag)
        answer = await patch(app, "blue", given)
    assert answer.status == status
    assert api.colour == ("blue" if status == 200 else "red")
    if status != 200:
        code = {400: "bad_if_match", 412: "precondition_failed"}[status]
        assert answer.data["code"] == code
        assert "ETag" not in answer.headers


async def test_lines_of_a_header_are_one_list() -> None:
    async with running(CupApi()) as app:
        tag = (await app.request("GET", PATH)).headers["ETag"]
        lines = f'If-None-Match: "other"\r\nIf-None-Match: {tag}\r\n'
        head = f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer coach\r\n{lines}\r\n"
        answer = await app.raw(head.encode())
    assert answer.status == 304


async def test_a_patch_that_does_not_look_fails_instead_of_overwriting_unseen() -> None:
    with logged() as lines:
        async with running(CupApi()) as app:
            path = f"{PATH}/forget"
            assert (await patch(app, "blue", None, path)).status == 200
            assert (await patch(app, "blue", '"x"', path)).status == 500
    assert "does not check the If-Match" in lines.text


async def test_it_is_in_the_description() -> None:
    async with running(CupApi()) as app:
        path = app.http.openapi["paths"]["/api/v1/cups/{id}"]
        listed = app.http.openapi["paths"]["/api/v1/cups"]["get"]
    for method, header, status in (("get", "If-None-Match", "304"), ("patch", "If-Match", "412")):
        operation = path[method]
        assert {"$ref": f"#/components/parameters/{header}"} in operation["parameters"]
        assert "ETag" in operation["responses"]["200"]["headers"]
        assert status in operation["responses"]
    assert b"ETag" not in orjson.dumps(listed)
