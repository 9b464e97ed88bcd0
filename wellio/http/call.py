"""Endpoints over the methods of a service, which get by type what their signatures ask for.

    def routes(app: Wellio) -> Sequence[object]:
        tags, wire = app.service(TagService), TAGS.wire
        return [
            call("GET", "/tags", tags.list, returns=Page[Tag], wire=wire, permission=READ),
            call("POST", "/tags", tags.create, returns=Tag, wire=wire, permission=MANAGE),
            call("PATCH", "/tags/{id}", tags.rename, returns=Tag, wire=wire, permission=MANAGE),
            call("DELETE", "/tags/{id}", tags.delete, permission=MANAGE),
        ]

The service returns rows, and `wire` makes the JSON of one. What a method asks for and the route
has not, or the route has and the method does not ask for, is refused when the app starts.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, TypedDict, Union, Unpack, get_args, get_origin, get_type_hints

from aiohttp import hdrs, web
from pydantic import BaseModel

from wellio.access.actor import Actor
from wellio.errors import PluginError, Problem
from wellio.wire import PageQuery

from .answers import CREATED, NO_CONTENT
from .endpoint import ACTOR, Answer, Call, Endpoint, Handler
from .etag import IF_MATCH, IfMatch

Given = Mapping[str, Any]
Source = Callable[[web.Request, Given], Any]
"""Finds an argument in a request, and in the body and query that were read from it."""


class Options(TypedDict, total=False):
    """What `call` hands on as `Endpoint` explains it."""

    also: tuple[int, ...]
    secret: bool
    told: tuple[str, ...]
    permission: str | None
    signed_in: bool
    scope: str | None
    object: tuple[str, str] | None
    action: str
    public: bool
    errors: tuple[type[Problem], ...]
    tags: tuple[str, ...]
    name: str | None
    summary: str | None
    max_body_bytes: int | None


def call(
    method: str,
    path: str,
    fn: Callable[..., Awaitable[Any]],
    *,
    query: Any = None,
    body: Any = None,
    returns: Any = None,
    wire: Callable[[Any], Any] | None = None,
    reply: Callable[[Any], Answer] | None = None,
    status: int | None = None,
    location: str | Callable[[Any], str] | None = None,
    **options: Unpack[Options],
) -> Call:
    """Have a method answer requests; `register_routes` returns what this returns.

    The method's docstring is the endpoint's documentation. Its arguments are found by their types:

    * `Actor`: who sent the request;
    * `IfMatch`: on which state a PATCH insists; every PATCH asks for it;
    * a model: the body, and of a GET the query; a `PageQuery` is always the query;
    * `str`: the parameters of the path, in their order;
    * `web.Request`: the request, where nothing else will do.

    `X | None` is as good as X. What has a default keeps it where the route has nothing for it. A
    `functools.partial` sets what else there is: `partial(marks.set, is_read=True)`.

    Args:
        method: GET, POST, PUT, PATCH or DELETE.
        path: As `Endpoint` has it.
        fn: A service's method, or another coroutine function.
        query: The type of the query, where the signature does not tell it from the body.
        body: The type of the body, where it is no model.
        returns: The model of the answer's JSON: of one row, or the `Page` of a `Slice`.
        wire: Makes the JSON of one row or view that the method returns.
        reply: Makes the whole answer instead of `wire`, `location` and `status`.
        status: Of the answer; else 204 for a method that returns None and for a DELETE without
            `returns`, 201 for a POST, and 200.
        location: With 201, the address of what was made: a format of the JSON's members or a
            function of what the method returned; else the request's own path and the `id`.
        options: The rest of what an `Endpoint` takes.

    Raises:
        PluginError: An argument cannot be found, something is left over or ambiguous, or the answer
            cannot be made; it names the route, the method and the parameter.
    """
    signature = _Signature(method, path, fn)
    if status is None:
        if signature.returns_none or (method == hdrs.METH_DELETE and returns is None):
            status = NO_CONTENT
        else:
            status = CREATED if method == hdrs.METH_POST else 200
    if status == CREATED and location is None and reply is None:
        location = "{id}"
    query, body = signature.models(query, body)
    endpoint = Endpoint(
        method,
        path,
        query=query,
        body=body,
        returns=returns,
        wire=wire,
        reply=reply,
        status=status,
        location=location,
        **options,
    )
    signature.check_answer(endpoint)
    return Call(endpoint, signature.handler(endpoint))


class _Signature:
    """What a method asks for."""

    def __init__(self, method: str, path: str, fn: Callable[..., Awaitable[Any]]) -> None:
        self._fn = fn
        self._is_get = method == hdrs.METH_GET
        self._target: Any = fn
        while isinstance(self._target, partial):
            self._target = self._target.func
        name = getattr(self._target, "__qualname__", repr(self._target))
        self._route = f"{method} {path} ({name})"
        if not inspect.iscoroutinefunction(self._target):
            raise self._wrong("is no coroutine function")
        try:
            hints = get_type_hints(self._target, include_extras=True)
        except NameError as error:
            raise self._wrong(f"has an annotation that is nowhere: {error}") from error
        self.returns_none = hints.get("return") is NoneType
        set_already = {*fn.keywords} if isinstance(fn, partial) else set()
        self._parameters = {
            name: it
            for name, it in inspect.signature(fn).parameters.items()
            if name not in set_already
        }
        self._types = {name: _plain(hints.get(name, Any)) for name in self._parameters}
        self._models: dict[str, str] = {}

    def models(self, query: Any, body: Any) -> tuple[Any, Any]:
        """Find out which parameters are the query and the body, and return the types of both."""
        declared = {"query": query, "body": body}
        for name, type_ in self._types.items():
            kinds = [
                kind for kind, it in declared.items() if it is not None and _plain(it) == type_
            ]
            if not kinds and isinstance(type_, type) and issubclass(type_, BaseModel):
                kind = "query" if self._is_get or issubclass(type_, PageQuery) else "body"
                if declared[kind] is not None:
                    raise self._wrong(f"`{name}` is not the {kind} that is declared")
                kinds = [kind]
            if len(kinds) > 1:
                raise self._wrong(f"`{name}` may be the query and the body")
            for kind in kinds:
                if kind in self._models:
                    raise self._wrong(f"`{self._models[kind]}` and `{name}` may both be the {kind}")
                self._models[kind] = name
        for kind, it in declared.items():
            if it is not None and kind not in self._models:
                raise self._wrong(f"nothing takes the {kind}")
        return (
            query if query is not None else self._types.get(self._models.get("query", "")),
            body if body is not None else self._types.get(self._models.get("body", "")),
        )

    def handler(self, endpoint: Endpoint) -> Handler:
        """Return what gives the method its arguments."""
        sources = dict(self._sources(endpoint))
        if endpoint.method == hdrs.METH_PATCH and IfMatch not in self._types.values():
            raise self._wrong("a PATCH takes an IfMatch")
        fn = self._fn

        async def handler(request: web.Request, **given: Any) -> Any:
            return await fn(**{name: source(request, given) for name, source in sources.items()})

        for name in ("__module__", "__name__", "__qualname__"):
            setattr(handler, name, getattr(self._target, name))
        handler.__doc__ = inspect.getdoc(self._target)
        names = ["request", *self._models]
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters = [inspect.Parameter(name, kind) for name in names]
        setattr(handler, "__signature__", inspect.Signature(parameters))  # noqa: B010 - no such name to mypy
        return handler

    def check_answer(self, endpoint: Endpoint) -> None:
        """Refuse what cannot become an answer."""
        if endpoint.reply is not None:
            if endpoint.location is not None:
                raise self._wrong("its reply has a location of its own")
            return
        if endpoint.status == NO_CONTENT:
            if endpoint.returns is not None:
                raise self._wrong("declares an answer and gives none")
        elif self.returns_none:
            raise self._wrong("returns None, which is a 204")
        elif endpoint.returns is None or endpoint.wire is None:
            raise self._wrong("lacks `returns` or `wire`, so nobody knows its answer")
        if (endpoint.status == CREATED) != (endpoint.location is not None):
            raise self._wrong("a location goes with 201")
        fields = getattr(endpoint.returns, "model_fields", None)
        if endpoint.location == "{id}" and fields is not None and "id" not in fields:
            raise self._wrong("its answer has no id, so it needs a `location`")

    def _sources(self, endpoint: Endpoint) -> Iterator[tuple[str, Source]]:
        """Find a source for each parameter, and a parameter for each part of the path."""
        path = list(endpoint.parameters)
        kinds = {name: kind for kind, name in self._models.items()}
        for name, parameter in self._parameters.items():
            type_ = self._types[name]
            if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
                raise self._wrong(f"`{name}` cannot be given by its name")
            if name in kinds:
                yield name, partial(_given, kinds[name])
            elif type_ is Actor and not endpoint.public:
                yield name, _actor
            elif type_ is IfMatch and endpoint.method == hdrs.METH_PATCH:
                yield name, _if_match
            elif type_ is web.Request:
                yield name, _request
            elif type_ is str and path:
                yield name, partial(_in_path, path.pop(0))
            elif parameter.default is parameter.empty:
                raise self._wrong(f"the route has nothing for `{name}`")
        if path:
            raise self._wrong(f"nothing takes `{path[0]}` of its path")

    def _wrong(self, why: str) -> PluginError:
        return PluginError(f"{self._route}: {why}")


def _plain(type_: Any) -> Any:
    """Take away what `Annotated` adds, and None from what may be None."""
    while get_origin(type_) is Annotated:
        type_ = get_args(type_)[0]
    if get_origin(type_) in {Union, UnionType} and NoneType in get_args(type_):
        return _plain(Union[tuple(it for it in get_args(type_) if it is not NoneType)])  # noqa: UP007 - of a tuple
    return type_


def _given(kind: str, _request: web.Request, given: Given) -> Any:
    return given[kind]


def _actor(request: web.Request, _given: Given) -> Actor:
    return request[ACTOR]


def _if_match(request: web.Request, _given: Given) -> IfMatch:
    return request[IF_MATCH]


def _request(request: web.Request, _given: Given) -> web.Request:
    return request


def _in_path(name: str, request: web.Request, _given: Given) -> str:
    return request.match_info[name]
