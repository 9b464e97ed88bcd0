"""The queries of the audit log use an index: what they cost does not grow with the log."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from wellio.audit import store
from wellio.db.base import Engine
from wellio.testing.engines import Databases, explain

SCAN = re.compile(r"SCAN wellio_audit|Seq Scan on wellio_audit")
SEALED = [{"place": 1, "seq": 1, "key_id": "k", "hash": "h"}]
# The chain's own index is its primary key; SQLite calls that the rowid.
CHAIN = r"wellio_audit_pkey|INTEGER PRIMARY KEY \(rowid"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def db(databases: Databases) -> AsyncIterator[Engine]:
    """Open one database for all plans: looking at them changes nothing."""
    async with databases.open() as engine:
        yield engine


@pytest.mark.parametrize(
    "sql, params, indexes",
    [
        (store.SEAL, {"sealed": SEALED}, [r"wellio_audit_pending_pkey|p USING INTEGER PRIMARY"]),
        (
            store.DROP_SEALED,
            {"places": [1]},
            [r"wellio_audit_pending_pkey|USING INTEGER PRIMARY KEY"],
        ),
        (
            store.PAGE,
            {"after": 1, "limit": 500},
            [CHAIN, r"wellio_audit_detail_pkey|sqlite_autoindex_wellio_audit_detail_1"],
        ),
        (
            store.PENDING_PAGE,
            {"after": 1, "limit": 500},
            [
                r"wellio_audit_pending_pkey|INTEGER PRIMARY KEY \(rowid",
                r"wellio_audit_detail_pkey|sqlite_autoindex_wellio_audit_detail_1",
                r"wellio_audit_id_key|sqlite_autoindex_wellio_audit_1",
            ],
        ),
        (store.DETAILS_OF, {"user_id": "zoe"}, ["wellio_audit_detail_user"]),
        (store.ERASE_DETAILS, {"user_id": "zoe"}, ["wellio_audit_detail_user"]),
    ],
)
async def test_the_plan_names_the_index(
    db: Engine, sql: str, params: dict[str, Any], indexes: list[str]
) -> None:
    plan = await explain(db, sql, **params)
    assert [index for index in indexes if not re.search(index, plan)] == [], plan
    assert not SCAN.search(plan), plan


@pytest.mark.parametrize(
    "sql, params",
    [
        (store.LAST, {}),
        (store.FIRST_WAITING, {}),
    ],
)
async def test_the_ends_are_found_in_the_order_of_the_key(
    db: Engine, sql: str, params: dict[str, Any]
) -> None:
    """SQLite calls that a scan, which ends with its first rows; it would have to tell of a sort."""
    plan = await explain(db, sql, **params)
    assert re.search(r"SCAN wellio_audit(_pending)?$|_pkey on wellio_audit", plan, re.MULTILINE)
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


async def test_of_those_that_wait_each_is_looked_for_in_the_chain(db: Engine) -> None:
    plan = await explain(db, store.WAITING, limit=128)
    assert re.search(r"wellio_audit_id_key|sqlite_autoindex_wellio_audit_1", plan), plan
    assert re.search(r"SCAN wellio_audit_pending$|_pending_pkey", plan, re.MULTILINE), plan


@pytest.mark.parametrize(
    "whose, params, index",
    [
        ("client_id = :id", {"id": "c"}, "wellio_audit_client"),
        ("actor_id = :id", {"id": "u"}, "wellio_audit_actor"),
        (
            "object_kind = :kind AND object_id = :id",
            {"kind": "client", "id": "c"},
            "wellio_audit_object",
        ),
    ],
)
async def test_what_was_done_lately_to_or_by_somebody_is_sought(
    db: Engine, whose: str, params: dict[str, Any], index: str
) -> None:
    """Nothing asks yet, but the indexes are part of a migration that is never edited again."""
    sql = f"SELECT seq FROM wellio_audit WHERE {whose} AND at < :at ORDER BY at DESC LIMIT 50"
    plan = await explain(db, sql, **params, at=1)
    assert index in plan, plan
    assert not SCAN.search(plan), plan
    assert "Sort" not in plan, plan
    assert "TEMP B-TREE" not in plan, plan
