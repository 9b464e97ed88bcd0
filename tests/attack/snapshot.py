"""Everything that a database holds, to be compared with what it held before."""

from collections import Counter
from collections.abc import Collection, Mapping

from wellio import Database
from wellio.db.catalogue import columns

Snapshot = Mapping[str, Counter[str]]
#: Rows come here and go on to the chain, by a worker that asks nobody.
MOVING = frozenset({"wellio_audit_pending", "wellio_audit"})


async def snapshot(db: Database) -> Snapshot:
    """Return every row of every table, as text."""
    rows = {table: await db.fetch_all(f"SELECT * FROM {table}") for table in await columns(db)}
    return {table: Counter(str(tuple(row)) for row in found) for table, found in rows.items()}


def changes(
    before: Snapshot, after: Snapshot, allowed: Collection[str] = (), but: Collection[str] = ()
) -> list[str]:
    """Return which rows are gone or others by now.

    Args:
        before: What there was.
        after: What there is.
        allowed: Ids of things that may have changed; a row that holds one of them may.
        but: Tables that nobody looks at.
    """
    return [
        f"{table}: {row[:300]}"
        for table, rows in before.items()
        if table not in but and table not in MOVING
        for row in rows - after.get(table, Counter())
        if not any(one in row for one in allowed)
    ]


def additions(before: Snapshot, after: Snapshot) -> dict[str, int]:
    """Return how many rows each table has gained."""
    gained = {table: (rows - before.get(table, Counter())).total() for table, rows in after.items()}
    return {table: count for table, count in gained.items() if count and table not in MOVING}
