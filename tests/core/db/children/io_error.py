"""Writes until the kernel refuses to let a file grow, then goes on with the limit lifted.

It prints the ids that were acknowledged, then what a write, a read and a ping came to.
"""

import asyncio
import resource
import sys
from pathlib import Path

from wellio.db import connect
from wellio.db.base import Engine, Tx
from wellio.errors import Unavailable
from wellio.testing.deadline import DEADLINE_S


async def make(tx: Tx) -> None:
    await tx.execute("CREATE TABLE t (id {text} PRIMARY KEY, n {int}, note {text}) {strict}")


async def insert(tx: Tx, row_id: str) -> str:
    await tx.execute(
        "INSERT INTO t (id, n, note) VALUES (:id, 0, :note)", id=row_id, note="x" * 2000
    )
    return row_id


async def is_refused(db: Engine) -> bool:
    try:
        await db.write(insert, "later")
    except Unavailable:
        return True
    return False


async def main(folder: Path) -> None:
    db = await connect(None, data_dir=folder, deadline_s=DEADLINE_S)
    await db.write_schema(make)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    outcomes = await asyncio.gather(
        *(db.write(insert, f"{number:04}") for number in range(2000)), return_exceptions=True
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    for outcome in outcomes:
        if isinstance(outcome, str):
            print(outcome)
        elif not isinstance(outcome, Unavailable):
            raise outcome
    print("refused" if await is_refused(db) else "written")
    print("reads" if await db.fetch_all("SELECT count(*) FROM t") else "no-reads")
    try:
        await db.ping()
    except Unavailable:
        print("ping-refused")
    await db.close()


asyncio.run(main(Path(sys.argv[1])))
