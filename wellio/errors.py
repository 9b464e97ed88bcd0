"""Every error that Wellio raises on purpose.

    WellioError
    ├── ConfigError            a setting is wrong or unknown: the start stops
    ├── NoPractice             a command looks after a practice, and there is none
    ├── PluginError            a plugin is missing, broken or in conflict
    ├── DatabaseError          migrations, locks, misuse of a transaction
    │   └── ConstraintViolation   a row is twice there, its parent is missing, a CHECK says no
    └── Problem                an answer to a request (RFC 9457)
        ├── BadRequest 400  Unauthorized 401  Forbidden 403  NotFound 404
        ├── MethodNotAllowed 405  Conflict 409  Gone 410  PreconditionFailed 412
        ├── PayloadTooLarge 413  UnsupportedMediaType 415  Invalid 422
        └── TooManyRequests 429  InternalError 500  Unavailable 503

A code of its own is a class of its own below one of these, whose docstring says what it means: so
an endpoint can declare it (`errors=`), and `/openapi.json` and docs/errors.md have it.

A problem never holds what the caller sent, a stack, SQL or a path.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar


class WellioError(Exception):
    """The root of all of them."""


class ConfigError(WellioError):
    """A setting is wrong or unknown; the message names it and says what was expected."""


class NoPractice(WellioError):
    """A command has no practice to work on."""

    def __init__(self, data_dir: Path, *, may_begin: bool = False) -> None:
        """Name the folder, and `--new` for a command that has it."""
        more = ", and --new makes one" if may_begin else ""
        super().__init__(f"no practice in {data_dir}; --data names it{more}")


class PluginError(WellioError):
    """A plugin is missing, broken, cyclic or offered twice; the message names it."""


class EndedProcess(WellioError):
    """Code of a plugin called `sys.exit()` where it should have raised; the server goes on."""

    def __init__(self) -> None:
        super().__init__("it called sys.exit()")


class DatabaseError(WellioError):
    """The database is not as this program needs it, or a transaction was misused."""


class ConstraintViolation(DatabaseError):
    """A constraint refused a statement; the body that ran it is over.

    Attributes:
        kind: `unique`, `foreign_key`, `check`, `not_null` or `other`.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a request.

    Attributes:
        pointer: JSON pointer (RFC 6901) to the field; the query's fields stand at the top.
        code: What is wrong, in snake_case.
        message: The same for people, without the value that was sent.
    """

    pointer: str
    code: str
    message: str


class Problem(WellioError):
    """An answer that says no, as `application/problem+json`."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    default_code: ClassVar[str] = "internal_error"
    default_detail: ClassVar[str] = ""
    codes: ClassVar[Mapping[str, str]] = {}
    """Codes that one of this class may have beside the default, and what they mean."""

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
        **members: Any,
    ) -> None:
        """Describe the problem.

        Args:
            detail: One sentence for people; the class may have a default.
            code: What programs compare; the class has a default.
            errors: The single fields that are wrong.
            headers: Extra response headers.
            retry_after_s: Seconds until a retry may work.
            members: Further top-level members, in the wire's camelCase.
        """
        super().__init__(detail or self.default_detail or self.title)
        self.detail = detail or self.default_detail
        self.code = code or self.default_code
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(retry_after_s)))
            members["retryAfter"] = retry_after_s
        self.members = members

    @classmethod
    def meanings(cls) -> Mapping[str, str]:
        """Return the codes that a problem of this class may have, and what each means."""
        own = (cls.__doc__ or "").partition("\n")[0].partition(": ")[2]
        return {cls.default_code: own.rstrip("."), **cls.codes}

    def to_dict(self, request_id: str | None) -> dict[str, Any]:
        """Return the problem's members as they stand on the wire."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.title,
            "code": self.code,
            "requestId": request_id,
            **self.members,
        }
        if self.errors:
            body["errors"] = [
                {"pointer": e.pointer, "code": e.code, "message": e.message} for e in self.errors
            ]
        return body


class BadRequest(Problem):
    """400: the request cannot be read at all."""

    status, title, default_code = 400, "Bad request", "bad_request"


class Unauthorized(Problem):
    """401: no credential, or one that does not work."""

    status, title, default_code = 401, "Sign in first", "unauthorized"


class Forbidden(Problem):
    """403: the caller may see it but not do this with it."""

    status, title, default_code = 403, "Not allowed", "forbidden"


class NotFound(Problem):
    """404: it is not there, or the caller may not know of it: the two look alike."""

    status, title, default_code = 404, "Not found", "not_found"


class MethodNotAllowed(Problem):
    """405: the resource has other methods."""

    status, title, default_code = 405, "Method not allowed", "method_not_allowed"


class Conflict(Problem):
    """409: it clashes with what is already there."""

    status, title, default_code = 409, "Conflict", "conflict"


class Gone(Problem):
    """410: it was there, or the cursor is too old."""

    status, title, default_code = 410, "Gone", "gone"


class PreconditionFailed(Problem):
    """412: the object changed since the caller read it."""

    status, title, default_code = 412, "Precondition failed", "precondition_failed"


class PayloadTooLarge(Problem):
    """413: the body is larger than the limit."""

    status, title, default_code = 413, "Too large", "payload_too_large"


class UnsupportedMediaType(Problem):
    """415: the body is of a type that is not taken here."""

    status, title, default_code = 415, "Unsupported media type", "unsupported_media_type"


class Invalid(Problem):
    """422: the request can be read, but fields of it are wrong; it names all of them."""

    status, title, default_code = 422, "Invalid request", "invalid_request"


class TooManyRequests(Problem):
    """429: a limit is used up for now."""

    status, title, default_code = 429, "Too many requests", "rate_limited"


class InternalError(Problem):
    """500: our fault; the log has the rest under the request's id."""


class Unavailable(Problem):
    """503: not now; nothing was done, or its outcome is unknown and a retry is safe."""

    status, title, default_code = 503, "Unavailable", "unavailable"


class BodyTimeout(BadRequest):
    """400: the body did not arrive in time."""

    default_code, default_detail = "body_timeout", "The body does not arrive in time."


class BadIfMatch(BadRequest):
    """400: the `If-Match` holds something else than tags in quotes or `*`."""

    default_code = "bad_if_match"
    default_detail = 'If-Match holds `*` or tags in quotes: `"..."`.'


class BadIdempotencyKey(BadRequest):
    """400: the `Idempotency-Key` is there twice, too long or no ASCII."""

    default_code = "bad_idempotency_key"


class UnknownEvent(NotFound):
    """404: nobody answers such a socket event."""

    default_code, default_detail = "unknown_event", "There is no such event."


class IdempotencyInProgress(Conflict):
    """409: the first request with this `Idempotency-Key` still runs; send it again in a moment."""

    default_code = "idempotency_in_progress"
    default_detail = "Another request with this key runs; send it again in a moment."


class IdempotencyKeyReused(Invalid):
    """422: the `Idempotency-Key` was used for another request."""

    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used for another request."


class TooManyConnections(TooManyRequests):
    """429: the account or the network has too many open sockets."""

    default_code = "too_many_connections"
    default_detail = "This account has too many open sockets."


class DatabaseBusy(Unavailable):
    """503: too many writes are waiting; nothing was done."""

    default_code, default_detail = "database_busy", "Too many writes are waiting."


class DatabaseDeadline(Unavailable):
    """503: the database took too long; nothing was done."""

    default_code, default_detail = "database_deadline", "The database took too long."


class OutcomeUnknown(Unavailable):
    """503: the database was lost during the commit; the same request again finds out."""

    default_code = "outcome_unknown"
    default_detail = "The database was lost during the commit: send the same request again."


class Stopping(Unavailable):
    """503: the server is just stopping; nothing was done."""

    default_code, default_detail = "stopping", "The server is stopping."


class StorageFull(Unavailable):
    """503: there is no room for files."""

    default_code, default_detail = "storage_full", "There is no room for files."


def invalid(pointer: str, code: str, message: str) -> Invalid:
    """Return the problem for one wrong field."""
    return Invalid(errors=[FieldError(pointer, code, message)])


def pointer_to(location: tuple[int | str, ...]) -> str:
    """Return the JSON pointer (RFC 6901) of a place, given as the keys on the way to it."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return "".join(f"/{part}" for part in parts)
