"""`/openapi.json`, and `/docs`: Swagger UI from this server alone, under a strict policy."""

import asyncio
import hashlib
from collections.abc import Callable
from functools import cache, cached_property
from importlib import resources
from typing import Any

import orjson
from aiohttp import web

from wellio.errors import NotFound

from .endpoint import endpoint
from .etag import tagged

_SCRIPT = """"use strict";
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  validatorUrl: null,
});
"""
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wellio: API</title>
<link rel="icon" href="{icon}">
<link rel="stylesheet" href="{style}">
</head>
<body>
<div id="docs"></div>
<script src="{bundle}"></script>
<script src="{script}"></script>
</body>
</html>
"""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_TYPES = {"css": "text/css", "js": "text/javascript", "png": "image/png"}
_SHIPPED = {
    "style": "swagger-ui.css",
    "bundle": "swagger-ui-bundle.js",
    "icon": "favicon-32x32.png",
}


class DocsApi:
    """The API's description, for programs and for people."""

    def __init__(self, describe: Callable[[], dict[str, Any]]) -> None:
        """Serve a description.

        Args:
            describe: Makes it; called in a thread once somebody asks, since it takes long.
        """
        self._describe = describe

    @cached_property
    def _document(self) -> tuple[bytes, str]:
        content = orjson.dumps(self._describe())
        return content, hashlib.sha256(content).hexdigest()[:32]

    @endpoint("GET", "//openapi.json", returns=dict[str, Any], also=(304,), public=True)
    async def openapi(self, request: web.Request) -> web.StreamResponse:
        """Read this description."""
        content, etag = await asyncio.to_thread(lambda: self._document)
        response = web.Response(body=content, content_type="application/json")
        response.etag = etag
        response.headers["Cache-Control"] = "no-cache"
        return tagged(request, response)

    @endpoint("GET", "//docs", public=True, media_type="text/html")
    async def page(self, request: web.Request) -> web.Response:
        """Read the description as a page."""
        links = {name: f"/docs/{file}" for name, file in _files()[0].items()}
        return web.Response(
            text=_PAGE.format(**links),
            content_type="text/html",
            headers={
                "Cache-Control": "no-cache",
                "Content-Security-Policy": _POLICY,
                "Cross-Origin-Opener-Policy": "same-origin",
            },
        )

    @endpoint("GET", "//docs/{file}", public=True, media_type="*/*")
    async def asset(self, request: web.Request) -> web.Response:
        """Read a part of the page; its name holds its hash, so it never changes."""
        name = request.match_info["file"]
        content = _files()[1].get(name)
        if content is None:
            raise NotFound
        return web.Response(
            body=content,
            content_type=_TYPES[name.rpartition(".")[2]],
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
        )


@cache
def _files() -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the page's files: their hashed names by what they are, and their contents by name.

    Raises:
        NotFound: This installation has no Swagger UI; a build brings it (`hatch_build.py`).
    """
    folder = resources.files("wellio.http") / "static_assets" / "swagger-ui"
    try:
        contents = {what: (folder / name).read_bytes() for what, name in _SHIPPED.items()}
    except FileNotFoundError as error:
        raise NotFound("This installation has no documentation page.") from error
    contents["script"] = _SCRIPT.encode()
    names = {}
    for what, content in contents.items():
        stem, _, suffix = _SHIPPED.get(what, "start.js").rpartition(".")
        names[what] = f"{stem}-{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
    return names, {names[what]: content for what, content in contents.items()}
