"""The OpenAPI 3.1 description of an app: made of the same declarations that it runs by."""

import inspect
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from pydantic.alias_generators import to_camel

from wellio.errors import PluginError
from wellio.observe.log import plugin_of
from wellio.realtime import EventRouter

from .answers import is_page
from .codes import Codes, Problems, every_code, problems_of
from .endpoint import ANY_SCOPE
from .idempotency import HEADER as IDEMPOTENCY_KEY
from .idempotency import REPLAYED
from .names import operation_id
from .openapi_parts import (
    AUTHENTICATE,
    ETAG,
    HEADERS,
    IF_MATCH,
    IF_NONE_MATCH,
    INFO,
    LOCATION,
    PARAMETERS,
    PROBLEM,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
    RETRY_AFTER,
    SECURITY,
)
from .openapi_sockets import describe_sockets
from .problems import BY_STATUS, MEDIA_TYPE
from .request_id import HEADER as REQUEST_ID
from .route import Route
from .schemas import Json, Schemas, schemas_of

TOLD = "x-api-key-told"  # the members that are there in any case, for whichever key
_REFUSALS = {str(status): problem.__name__ for status, problem in BY_STATUS.items()}
_OF_REFUSALS = {401: (AUTHENTICATE,), **dict.fromkeys((409, 429, 503), (RETRY_AFTER,))}
_TEXT = {"type": "string"}
_PARAMETER = re.compile(r"\{(\w+)[^}]*\}")
_FOR_CALLERS_IN_PYTHON = re.compile(r"^(Args|Returns|Raises):\n.*", re.MULTILINE | re.DOTALL)


def describe(
    routes: Sequence[Route],
    version: str,
    sockets: EventRouter | None = None,
    authentication: Problems = (),
    tags: Mapping[str, str] = MappingProxyType({}),
) -> Json:
    """Describe an app's routes and socket events.

    Args:
        routes: All of them, in the order in which they are shown.
        version: The app's.
        sockets: What knows the socket events; None: there are none.
        authentication: What the ways of signing in raise.
        tags: What the endpoints of each plugin are for, by its name.

    Raises:
        PluginError: Two endpoints have one name.
    """
    schemas, components = schemas_of(routes, sockets)
    paths = _paths(routes, schemas, components, authentication)
    refusals = _shared(paths)
    events, vocabulary = describe_sockets(sockets, schemas) if sockets else ({}, {})
    return {
        "openapi": "3.1.0",
        "info": {**INFO, "version": version},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": name, "description": tags[name]} for name in _tags_of(paths) if name in tags
        ],
        "paths": paths,
        "components": {
            "schemas": {
                **_used(components, [paths, events]),
                **vocabulary,
                "Problem": PROBLEM,
                "ErrorCode": _error_code(every_code(routes, sockets, authentication)),
            },
            "responses": refusals,
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "securitySchemes": SECURITY,
        },
        "x-socket-events": events,
    }


def _paths(
    routes: Sequence[Route], schemas: Schemas, components: Json, authentication: Problems
) -> Json:
    """Return the operations by path and method.

    Raises:
        PluginError: Two endpoints have one name.
    """
    paths: Json = {}
    names: dict[str, Route] = {}
    for index, route in enumerate(routes):
        operation = _operation(route, index, schemas, components)
        operation["responses"] |= _refusals(problems_of(route, authentication))
        other = names.setdefault(operation["operationId"], route)
        if other is not route:
            raise PluginError(f"{route} and {other} have the same name")
        paths.setdefault(path_of(route), {})[route.endpoint.method.lower()] = operation
    return paths


def path_of(route: Route) -> str:
    """Return a route's path as the description has it, with its parameters in camelCase."""
    return _PARAMETER.sub(lambda match: f"{{{to_camel(match[1])}}}", route.path)


def _tags_of(paths: Json) -> Iterator[str]:
    """Yield each tag of the operations once, in their order."""
    operations = (it for methods in paths.values() for it in methods.values())
    yield from dict.fromkeys(tag for operation in operations for tag in operation["tags"])


def _used(components: Json, whole: Any) -> Json:
    """Leave out what nobody refers to: the models of queries became parameters."""
    text = json.dumps([whole, components])
    return {name: it for name, it in components.items() if f'"#/components/schemas/{name}"' in text}


def _operation(route: Route, index: int, schemas: Schemas, components: Json) -> Json:
    declared, handler = route.endpoint, route.handler
    plugin = plugin_of(handler.__module__)
    name = operation_id(declared.method, route.path, is_page=is_page(declared.returns))
    text = _FOR_CALLERS_IN_PYTHON.sub("", inspect.getdoc(handler) or "")
    summary, _, description = text.partition("\n")
    operation: Json = {
        "operationId": declared.name or name,
        "summary": declared.summary or summary,
        "tags": list(declared.tags or (plugin,)),
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(schemas.get((index, "query")), components),
            *_header_parameters(route),
        ],
        "responses": _responses(route, schemas.get((index, "returns"), {})),
    }
    if description.strip():
        operation["description"] = description.strip()
    if declared.public:
        operation["security"] = []
    elif route.scope is not None:
        scopes = [] if route.scope == ANY_SCOPE else [route.scope]
        operation["security"] = [{"bearer": []}, {"apiKey": scopes}]
    if not _shows_to_keys(route):
        needed = " or ".join(f"`{scope}`" for scope in sorted(route.readers or ()))
        names = " and ".join(f"`{name}`" for name in declared.told)
        text = f"An API key without {needed} is told {names} alone."
        operation["description"] = f"{operation.get('description', '')}\n\n{text}".strip()
        operation[TOLD] = list(declared.told)
    if declared.body is not None:
        content = {"application/json": {"schema": schemas[index, "body"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _shows_to_keys(route: Route) -> bool:
    """Tell whether every API key that may call a route is shown all that it answers with."""
    if route.scope is None or route.readers is None:
        return True
    return not route.readers.isdisjoint({route.scope, ANY_SCOPE})


def _path_parameters(route: Route) -> Iterator[Json]:
    for name in route.parameters:
        schema = {**_TEXT, "format": "uuid"} if name in route.ids else _TEXT
        yield {"name": to_camel(name), "in": "path", "required": True, "schema": schema}


def _query_parameters(model: Json | None, components: Json) -> Iterator[Json]:
    if model is None:
        return
    if "$ref" in model:
        model = components[model["$ref"].rpartition("/")[2]]
    for name, schema in model["properties"].items():
        parameter = {"name": name, "in": "query", "required": name in model.get("required", ())}
        if "description" in schema:
            parameter["description"] = schema["description"]
        yield {**parameter, "schema": {k: v for k, v in schema.items() if k != "description"}}


def _header_parameters(route: Route) -> Iterator[Json]:
    if route.idempotency is not None:
        yield {"$ref": f"#/components/parameters/{IDEMPOTENCY_KEY}"}
    if route.is_tagged:
        name = IF_MATCH if route.is_patch else IF_NONE_MATCH
        yield {"$ref": f"#/components/parameters/{name}"}


def _answer_headers(route: Route, status: int) -> Json:
    names = [REQUEST_ID, RATE_LIMIT, RATE_LIMIT_POLICY]
    names += [LOCATION] if status == HTTPStatus.CREATED else []
    names += [REPLAYED] if route.idempotency is not None else []
    names += [ETAG] if route.is_tagged else []
    return _headers(names)


def _headers(names: Iterable[str]) -> Json:
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}}


def _responses(route: Route, schema: Json) -> Json:
    declared = route.endpoint
    responses: Json = {}
    unchanged = (304,) if route.is_tagged and not route.is_patch else ()
    for status in (declared.status, *declared.also, *unchanged):
        responses[str(status)] = {"description": HTTPStatus(status).phrase}
        responses[str(status)] |= _answer_headers(route, status)
        if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            responses[str(status)]["content"] = {declared.media_type: {"schema": schema}}
    return responses


def _refusals(problems: Mapping[int, Codes]) -> Json:
    """Return the responses of the problems that an endpoint may answer with."""
    return {
        str(status): {
            "description": f"{BY_STATUS[status].title}: {', '.join(f'`{it}`' for it in codes)}.",
            **_headers((REQUEST_ID, RATE_LIMIT, RATE_LIMIT_POLICY, *_OF_REFUSALS.get(status, ()))),
            "content": {
                MEDIA_TYPE: {
                    "schema": {
                        "allOf": [
                            {"$ref": "#/components/schemas/Problem"},
                            {"properties": {"code": {"enum": list(codes)}}},
                        ]
                    }
                }
            },
        }
        for status, codes in problems.items()
    }


def _shared(paths: Json) -> Json:
    """Return the most frequent refusal of each status, and have the operations refer to it."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    responses = [
        operation["responses"] for methods in paths.values() for operation in methods.values()
    ]
    for by_status in responses:
        for status in by_status.keys() & _REFUSALS.keys():
            seen[status][json.dumps(by_status[status])] += 1
    most = {status: json.loads(counts.most_common(1)[0][0]) for status, counts in seen.items()}
    for by_status in responses:
        for status in by_status.keys() & most.keys():
            if by_status[status] == most[status]:
                by_status[status] = {"$ref": f"#/components/responses/{_REFUSALS[status]}"}
    return {_REFUSALS[status]: most[status] for status in sorted(most)}


def _error_code(codes: Codes) -> Json:
    return {
        "type": "string",
        "description": "What programs compare: each means one thing, wherever it comes.",
        "enum": list(codes),
        "x-enum-descriptions": list(codes.values()),
    }
