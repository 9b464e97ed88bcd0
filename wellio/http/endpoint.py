"""Typed endpoints: what a plugin writes above a plain aiohttp handler, and what that returns.

    class TaskApi:
        @endpoint("POST", "/tasks", body=NewTask, returns=Task, status=201, permission="tasks.add")
        async def create(self, request: web.Request, body: NewTask) -> Reply:
            '''Make a task.'''

The declaration is all there is: `route.py` keeps it at run time, `openapi.py` documents it.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, TypeVar

import orjson
from aiohttp import web

from wellio.access.actor import Actor
from wellio.errors import Problem

API_PREFIX = "/api/v1"
MAX_BODY_BYTES = 1024 * 1024
MAX_PUBLIC_BODY_BYTES = 16 * 1024  # from people whom nobody knows
ANY_SCOPE = "*"
ACTOR = web.RequestKey("actor", Actor)
"""Who sent the request: `request[ACTOR]`, in every endpoint that is not public."""

_MARK = "__endpoint__"
_PARAMETER = re.compile(r"\{(\w+)")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with another status than the declared one, or with headers of its own.

    Attributes:
        data: What becomes JSON; None sends no body.
        status: The status, or None for the declared one.
        headers: Further headers.
    """

    data: Any
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def created(data: Any, location: str) -> Reply:
    """Answer 201 with the new object and where it is from now on."""
    return Reply(data, 201, {"Location": location})


def no_content() -> Reply:
    """Answer 204."""
    return Reply(None, 204)


Answer = Mapping[str, Any] | orjson.Fragment | Reply | web.StreamResponse
Handler = Callable[..., Awaitable[Any]]
HandlerT = TypeVar("HandlerT", bound=Handler)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Makes a method answer requests; written `@endpoint(...)`.

    The method is called once everything declared here holds, as `method(request)` with `query=` and
    `body=` where they are declared. The order: authenticate (401), permission (403), object (404 or
    403), query and body (400, 413, 415, 422). It returns a dict that matches `returns`, a `Reply`,
    or a whole response of aiohttp, and raises a `Problem` to refuse.

    A POST may come with an `Idempotency-Key` (`idempotency.py`). So it makes one write and returns
    what that returned; `reply` makes the answer of it.

    A GET of one object answers with an `ETag`. A PATCH may come with an `If-Match`: its handler
    passes `request[IF_MATCH]` on to where the object is locked (`etag.py`).

    Where the method is a service's own and gets by type what it asks for, see `call`.

    Attributes:
        method: GET (HEAD comes with it), POST, PUT, PATCH or DELETE.
        path: Below `/api/v1`, or an absolute path behind a second slash: `//livez`. Parameters
            stand in braces; one named `id` or `*_id` that is no UUID is a 404, and
            comes to the handler in lower case.
        query: The pydantic model of the query.
        body: The pydantic model, or any type pydantic knows, of the JSON body.
        returns: The same of the answer: documented, and checked in tests but not at run time.
        status: The status of a plain dict; with 204, what the method returns is no answer.
        also: Other good statuses, with the same answer.
        wire: Makes the JSON of one row that the method returned: of all in a `Slice` where a page
            is returned, and of what an `If-Match` is held against. None: all of them are JSON.
        location: Where that is from now on, with status 201: a format of the JSON's members, such
            as `/api/v1/tags/{id}`, below the request's own path where it begins with no slash; or
            what makes the address of what the method returned.
        reply: Instead of both: makes the answer of what the method returned, for which that alone
            is enough; it runs in the transaction too.
        secret: The answer holds a secret, so it is stored nowhere: an `Idempotency-Key` has no
            effect.
        told: Members of the answer that say what a write did: all that an API key is shown which
            may not read the object (`readers.py`).
        permission: What the caller must hold. One of `permission`, `object`, `signed_in` and
            `public` stands at every endpoint, so that nothing is open by oversight.
        signed_in: Whoever signed in may call it, clients as well as staff.
        scope: Where there is no permission: what an API key must hold, `*` for nothing in
            particular. An endpoint with neither is closed to keys.
        object: Kind of the object and the path parameter that holds its id; its policy decides.
        action: What the policy is asked for.
        public: Nobody needs to sign in; there is no `request[ACTOR]`.
        errors: Problems beyond those that follow from the rest, for the documentation.
        tags: Groups in the documentation; the plugin's name by default.
        name: What the operation is called, such as `changePassword`; by default what its method
            and path make of it (`names.py`). No two have one name.
        summary: One line for the documentation; the docstring's first by default.
        media_type: Of the answer, where it is not JSON.
        max_body_bytes: The largest body; by default 1 MiB, and 16 KiB where nobody needs to sign
            in.
    """

    method: str
    path: str
    _: KW_ONLY
    query: Any = None
    body: Any = None
    returns: Any = None
    status: int = 200
    also: tuple[int, ...] = ()
    wire: Callable[[Any], Any] | None = None
    location: str | Callable[[Any], str] | None = None
    reply: Callable[[Any], Answer] | None = None
    secret: bool = False
    told: tuple[str, ...] = ("id",)
    permission: str | None = None
    signed_in: bool = False
    scope: str | None = None
    object: tuple[str, str] | None = None
    action: str = "read"
    public: bool = False
    errors: tuple[type[Problem], ...] = ()
    tags: tuple[str, ...] = ()
    name: str | None = None
    summary: str | None = None
    media_type: str = "application/json"
    max_body_bytes: int | None = None

    def __call__(self, handler: HandlerT) -> HandlerT:
        """Mark a method as this endpoint's handler."""
        setattr(handler, _MARK, self)
        return handler

    @property
    def full_path(self) -> str:
        """The path as the router knows it."""
        return self.path[1:] if self.path.startswith("//") else API_PREFIX + self.path

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path, in their order."""
        return tuple(_PARAMETER.findall(self.full_path))


endpoint = Endpoint


@dataclass(frozen=True, slots=True)
class Call:
    """An endpoint over a service's method; `call` makes it.

    Attributes:
        endpoint: What is declared.
        handler: Gives the method what it asks for; named and documented as that is.
    """

    endpoint: Endpoint
    handler: Handler


def endpoints_of(api: Any) -> Iterator[tuple[Endpoint, Handler]]:
    """Find an object's endpoints, in the order in which its class defines them."""
    if isinstance(api, Call):
        yield api.endpoint, api.handler
        return
    names = [name for cls in reversed(type(api).__mro__) for name in vars(cls)]
    for name in dict.fromkeys(names):
        handler = inspect.getattr_static(api, name, None)
        declared = getattr(handler, _MARK, None)
        if isinstance(declared, Endpoint):
            yield declared, getattr(api, name)
