"""REST for API keys: for people who signed in, never for a key."""

from collections.abc import Sequence
from typing import Any

from wellio import NotFound, Page, Wellio, call
from wellio_auth.permissions import CREATE_API_KEYS

from .models import ApiKey, ApiKeyMade, MadeKey
from .service import ApiKeys, TooManyApiKeys
from .store import API_KEYS


def routes(app: Wellio) -> Sequence[object]:
    """Return the routes of `/api-keys`."""
    keys, wire, permission = app.service(ApiKeys), API_KEYS.wire, CREATE_API_KEYS
    return [
        call(
            *("POST", "/api-keys", keys.create),
            returns=ApiKeyMade,
            wire=_made,
            secret=True,
            permission=permission,
            errors=(TooManyApiKeys,),
        ),
        call(
            *("GET", "/api-keys", keys.list),
            returns=Page[ApiKey],
            wire=wire,
            permission=permission,
        ),
        call(
            *("GET", "/api-keys/{id}", keys.get),
            returns=ApiKey,
            wire=wire,
            permission=permission,
            errors=(NotFound,),
        ),
        call(
            *("DELETE", "/api-keys/{id}", keys.revoke),
            permission=permission,
            errors=(NotFound,),
        ),
    ]


def _made(made: MadeKey) -> dict[str, Any]:
    return {**API_KEYS.wire(made.row), "key": made.key}
