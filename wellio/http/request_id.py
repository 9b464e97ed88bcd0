"""Request ids: what ties an answer, a problem and the log's lines together."""

import itertools
import re
import secrets

from aiohttp import web

HEADER = "X-Request-Id"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,128}")
# Unique and cheap: 96 random bits a process and a counter. Nothing depends on it being secret.
_prefix = secrets.token_hex(12)
_counter = itertools.count(1)


def request_id_of(request: web.BaseRequest) -> str:
    """Return the caller's id for a request if it looks sane, and a new one else."""
    given = request.headers.get(HEADER)
    if given is not None and _SANE.fullmatch(given):
        return given
    return f"{_prefix}-{next(_counter)}"
