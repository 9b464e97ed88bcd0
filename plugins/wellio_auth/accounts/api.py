"""REST for accounts: one's own, and everybody's for the owner."""

from collections.abc import Sequence
from typing import Any

from wellio import NotFound, Page, TooManyRequests, Wellio, call
from wellio_auth.permissions import MANAGE_USERS, READ_USERS

from .models import Me, MeOut, UserOut
from .service import Accounts, LastOwner
from .store import USERS


def routes(app: Wellio) -> Sequence[object]:
    """Return the routes of `/me`, `/users` and `/auth/password`."""
    accounts, user = app.service(Accounts), USERS.wire
    return [
        call("GET", "/me", accounts.me, returns=MeOut, wire=_me, scope="*"),
        call("PATCH", "/me", accounts.rename, returns=MeOut, wire=_me),
        call(
            *("GET", "/users", accounts.list),
            returns=Page[UserOut],
            wire=user,
            permission=READ_USERS,
        ),
        call(
            *("GET", "/users/{id}", accounts.get),
            returns=UserOut,
            wire=user,
            permission=READ_USERS,
            errors=(NotFound,),
        ),
        call(
            *("PATCH", "/users/{id}", accounts.change),
            returns=UserOut,
            wire=user,
            permission=MANAGE_USERS,
            errors=(NotFound, LastOwner),
        ),
        call("POST", "/auth/password", accounts.change_password, errors=(TooManyRequests,)),
    ]


def _me(me: Me) -> dict[str, Any]:
    return {**USERS.wire(me.user), "permissions": sorted(me.permissions)}
