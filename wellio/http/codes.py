"""Which problems an endpoint or a socket event may answer with, and by which codes."""

from collections.abc import Iterable, Mapping, Sequence

from wellio.errors import (
    BadIdempotencyKey,
    BadIfMatch,
    BadRequest,
    BodyTimeout,
    DatabaseBusy,
    DatabaseDeadline,
    Forbidden,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InternalError,
    Invalid,
    NotFound,
    OutcomeUnknown,
    PayloadTooLarge,
    PreconditionFailed,
    Problem,
    Stopping,
    StorageFull,
    TooManyConnections,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnknownEvent,
    UnsupportedMediaType,
)
from wellio.realtime import EventRouter

from .problems import BY_STATUS
from .route import Route

Problems = Sequence[type[Problem]]
Codes = Mapping[str, str]
"""Codes, and what each means."""

_ALWAYS: Problems = (
    *(TooManyRequests, InternalError),
    *(Unavailable, DatabaseBusy, DatabaseDeadline, OutcomeUnknown, Stopping, StorageFull),
)
_OF_SOCKETS: Problems = (UnknownEvent, TooManyConnections)


def problems_of(route: Route, authentication: Problems) -> dict[int, Codes]:
    """Return the codes that an endpoint may answer with, by status.

    Args:
        route: The endpoint.
        authentication: What the ways of signing in raise.
    """
    declared = route.endpoint
    found = [*_ALWAYS, *declared.errors]
    if not declared.public:
        found += [Unauthorized, Forbidden, *authentication]
    if route.parameters:
        found.append(NotFound)
    if declared.query is not None or declared.body is not None:
        found += [BadRequest, Invalid]
    if declared.body is not None:
        found += [BodyTimeout, PayloadTooLarge, UnsupportedMediaType]
    if route.idempotency is not None:
        found += [BadIdempotencyKey, IdempotencyInProgress, IdempotencyKeyReused]
    if route.is_patch:
        found += [BadIfMatch, PreconditionFailed]
    return {
        status: codes_of(it for it in found if it.status == status)
        for status in sorted({it.status for it in found})
    }


def every_code(
    routes: Iterable[Route], sockets: EventRouter | None, authentication: Problems
) -> dict[str, str]:
    """Return every code of an app, in alphabetical order, and what each means."""
    found = codes_of((*BY_STATUS.values(), *_OF_SOCKETS))
    for route in routes:
        for codes in problems_of(route, authentication).values():
            found |= codes
    for event in sockets.events if sockets is not None else ():
        found |= codes_of(event.errors)
    return dict(sorted(found.items()))


def codes_of(problems: Iterable[type[Problem]]) -> dict[str, str]:
    """Return the codes of some problems, and what each means behind its status."""
    return {
        code: f"{problem.status}: {meaning}"
        for problem in problems
        for code, meaning in problem.meanings().items()
    }
