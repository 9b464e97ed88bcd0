"""Lists and look-ups find their rows by an index: what they cost does not grow with the tables."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from wellio_auth.accounts import store as accounts
from wellio_auth.api_keys import store as api_keys
from wellio_auth.invitations import store as invitations
from wellio_auth.sessions import store as sessions

from wellio import Database, PageQuery, encode_cursor
from wellio.testing import StartApp
from wellio.testing.engines import explain

WHOLE = re.compile(r"Seq Scan|SCAN \w+$", re.MULTILINE)
LATER = PageQuery(cursor=encode_cursor("a"))


class Explained:
    """Stands for a database or a transaction, and keeps how a statement would run."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.plan = ""

    async def fetch_all(self, sql: str, **params: Any) -> list[Any]:
        self.plan += await explain(self._db, sql, **params)
        return []

    async def fetch_one(self, sql: str, **params: Any) -> None:
        await self.fetch_all(sql, **params)


@pytest.mark.parametrize(
    ("ask", "indexes"),
    [
        (lambda db: accounts.page(db, PageQuery(), None, None), ["auth_user_name"]),
        (
            lambda db: accounts.page(
                db, PageQuery(cursor=encode_cursor("a", "b")), "coach", "active"
            ),
            ["auth_user_name"],
        ),
        (
            lambda db: accounts.user_by_email(db, "ada@example.com"),
            ["auth_user_email_ci_key|sqlite_autoindex_auth_user_2"],
        ),
        (
            lambda db: invitations.page(db, LATER, ""),
            ["auth_invitation_pkey|sqlite_autoindex_auth_invitation_1"],
        ),
        (lambda db: invitations.page(db, LATER, "ada"), ["auth_invitation_inviter"]),
        (
            lambda db: invitations.rows_about(db, "ada", "ada@example.com"),
            ["auth_invitation_email", "auth_invitation_redeemer"],
        ),
        (
            lambda db: api_keys.page(db, LATER, "", 1),
            ["auth_api_key_pkey|sqlite_autoindex_auth_api_key_1"],
        ),
        (lambda db: api_keys.page(db, LATER, "ada", 1), ["auth_api_key_user"]),
        (lambda db: api_keys.delete_expired(db, 1), ["auth_api_key_expiry"]),
        (lambda db: sessions.page(db, PageQuery(), "ada", 1), ["auth_session_user"]),
        (lambda db: sessions.delete_expired_of(db, "ada", 1), ["auth_session_user"]),
        (lambda db: sessions.delete_expired_sessions(db, 1, 1), ["auth_session_expiry"]),
    ],
)
async def test_the_plan_names_the_index(
    shared_app: StartApp, ask: Callable[[Any], Awaitable[object]], indexes: list[str]
) -> None:
    app = await shared_app.first()
    asked = Explained(app.app.db)
    await ask(asked)
    assert [index for index in indexes if not re.search(index, asked.plan)] == [], asked.plan
    assert not WHOLE.search(asked.plan), asked.plan
