"""The parts of the description that are the same for every app."""

from wellio.field_errors import WORDS

from .idempotency import HEADER as IDEMPOTENCY_KEY
from .idempotency import MAX_CHARS, REPLAYED
from .request_id import HEADER as REQUEST_ID
from .schemas import Json

IF_MATCH, IF_NONE_MATCH, ETAG = "If-Match", "If-None-Match", "ETag"
RATE_LIMIT, RATE_LIMIT_POLICY = "RateLimit", "RateLimit-Policy"
LOCATION, RETRY_AFTER, AUTHENTICATE = "Location", "Retry-After", "WWW-Authenticate"
_TEXT: Json = {"type": "string"}
INFO: Json = {
    "title": "Wellio",
    "summary": "A coaching practice: its people, clients and conversations.",
    "description": """\
JSON in camelCase; times are RFC 3339 in UTC, ids are UUIDs that the server makes.

* Sign in by `POST /api/v1/auth/login` and send the access token as `Authorization: Bearer`; a
  program sends an API key in its place.
* A list answers `{"items", "nextCursor"}`; give `nextCursor` back as `cursor` until it is null.
* Every refusal is a `Problem`, and its `code` is what programs compare.
* A POST may be sent again with the same `Idempotency-Key`, and has no second effect.
* A PATCH changes what is given and empties what is null; with `If-Match` it changes nothing that
  somebody else has changed meanwhile.
* What goes over sockets is in `x-socket-events`, `ClientEvents` and `ServerEvents`.
""",
    "license": {"name": "MIT", "identifier": "MIT"},
}
PROBLEM: Json = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": {"$ref": "#/components/schemas/ErrorCode"},
        "requestId": {"type": "string", "description": "Finds the log's lines."},
        "retryAfter": {"type": "number", "description": "Seconds."},
        "errors": {
            "type": "array",
            "description": "Everything that is wrong with a 422, at once.",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901."},
                    "code": {
                        "type": "string",
                        "description": "What is wrong; docs/errors.md has all of them.",
                        "examples": sorted({code for code, _ in WORDS}),
                    },
                    "message": _TEXT,
                },
                "required": ["pointer", "code", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "code", "requestId"],
}
PARAMETERS: Json = {
    IDEMPOTENCY_KEY: {
        "name": IDEMPOTENCY_KEY,
        "in": "header",
        "description": "Your own name for this request, new for each. Sent again with it, the "
        "request is answered as the first time, for a day, and has no second effect.",
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_CHARS},
    },
    IF_MATCH: {
        "name": IF_MATCH,
        "in": "header",
        "description": "The `ETag` of the state that you want to change, or several, or `*`. In "
        "another state it is not changed: 412.",
        "schema": _TEXT,
    },
    IF_NONE_MATCH: {
        "name": IF_NONE_MATCH,
        "in": "header",
        "description": "The `ETag` of the state that you know, or several, or `*`. As long as it "
        "is that, the answer is a 304 without a body.",
        "schema": _TEXT,
    },
}
HEADERS: Json = {
    REQUEST_ID: {
        "description": "Names the request in the log; the one that was sent, if it looks sane.",
        "required": True,
        "schema": _TEXT,
    },
    **{
        name: {"description": description, "schema": _TEXT}
        for name, description in (
            (RATE_LIMIT, "What is left of the budget that this was a use of."),
            (RATE_LIMIT_POLICY, "How large that budget is."),
            (ETAG, "Names this state of the object, as you see it."),
        )
    },
    LOCATION: {
        "description": "Where what was made is from now on.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    RETRY_AFTER: {
        "description": "Seconds until another try may do better.",
        "schema": {"type": "integer"},
    },
    AUTHENTICATE: {
        "description": "`Bearer`, and what is wrong with the one that was sent.",
        "required": True,
        "schema": _TEXT,
    },
    REPLAYED: {
        "description": "The answer was given before to a request with this key.",
        "schema": {"const": "true"},
    },
}
SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An access token."},
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key. What is named beside it is the scope that it needs.",
    },
}
