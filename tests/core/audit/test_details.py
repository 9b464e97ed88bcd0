"""Personal details stay with the row and the person that they were recorded for, or it is seen."""

from collections.abc import Sequence

import pytest

from tests.core.audit.conftest import Log
from wellio.db.base import Row
from wellio.ids import new_id


async def details(log: Log) -> Sequence[Row]:
    return await log.db.fetch_all("SELECT * FROM wellio_audit_detail ORDER BY audit_id")


async def kinds(log: Log) -> list[str]:
    return [found.kind for found in (await log.verify()).breaks]


@pytest.mark.sqlite("the SQL that it adds is plain")
async def test_details_that_are_moved_are_seen(log: Log) -> None:
    """To another person, to another row, to none: of what is sealed, and of what waits."""
    change = "UPDATE wellio_audit_detail SET {} WHERE audit_id = :id"
    for is_sealed in (True, False):
        for person in ("zoe", "carl"):
            await log.note(2, details=True, subject_id=person)
        await log.note(1)
        if is_sealed:
            await log.audit.seal()
        before = [dict(zip(row.keys(), row, strict=True)) for row in await details(log)]
        where = "wellio_audit" if is_sealed else "wellio_audit_pending"
        bare = await log.db.fetch_one(
            f"SELECT id FROM {where} WHERE commitment IS NULL ORDER BY id DESC LIMIT 1"
        )
        assert bare is not None
        mine, theirs = before[-4]["audit_id"], before[-1]["audit_id"]
        for moved in (
            [(mine, "user_id = 'carl'")],
            [(mine, "user_id = 'ZOE'")],
            [(mine, "user_id = ''")],
            [(mine, "user_id = 'carl'"), (theirs, "user_id = 'zoe'")],
            [(mine, f"audit_id = '{bare['id']}'")],
            [(mine, f"audit_id = '{new_id()}'")],
            [(mine, f"audit_id = '{new_id()}', user_id = 'carl'")],
        ):
            assert await kinds(log) == []
            for audit_id, what in moved:
                await log.run(change.format(what), id=audit_id)
            assert set(await kinds(log)) == {"details"}, (is_sealed, moved)
            await log.run("DELETE FROM wellio_audit_detail")
            for row in before:
                names = ", ".join(row)
                values = ", ".join(f":{name}" for name in row)
                await log.run(f"INSERT INTO wellio_audit_detail ({names}) VALUES ({values})", **row)
    await log.db.write(log.audit.erase_details, "zoe")
    assert await kinds(log) == []  # what an erasure takes away is no break
