"""REST for accounts: one's own, and everybody's for the owner."""

from collections.abc import Sequence
from typing import Any

from wellio import NotFound, Page, TooManyRequests, Wellio, call
from wellio_auth.permissions import MANAGE_USERS, READ_USERS

from .models import Me, OwnAccount, User
from .service import Accounts, LastOwner
from .store import USERS


def routes(app: Wellio) -> Sequence[object]:
    """Return the routes of `/me`, `/users` and `/auth/password`."""
    accounts, user = app.service(Accounts), USERS.wire
    return [
        call("GET", "/me", accounts.me, returns=Me, wire=_me, scope="*", signed_in=True),
        call("PATCH", "/me", accounts.change_own, returns=Me, wire=_me, signed_in=True),
        call(
            *("GET", "/users", accounts.list),
            returns=Page[User],
            wire=user,
            permission=READ_USERS,
        ),
        call(
            *("GET", "/users/{id}", accounts.get),
            returns=User,
            wire=user,
            permission=READ_USERS,
            errors=(NotFound,),
        ),
        call(
            *("PATCH", "/users/{id}", accounts.change),
            returns=User,
            wire=user,
            permission=MANAGE_USERS,
            errors=(NotFound, LastOwner),
        ),
        call(
            *("POST", "/auth/password", accounts.change_password),
            name="changePassword",
            errors=(TooManyRequests,),
            signed_in=True,
        ),
    ]


def _me(me: OwnAccount) -> dict[str, Any]:
    user = me.user
    return {
        **USERS.wire(user),
        "phone": user["phone"],
        "timeZone": user["time_zone"],
        "locale": user["locale"],
        "permissions": sorted(me.permissions),
    }
