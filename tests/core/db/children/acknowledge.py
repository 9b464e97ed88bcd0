"""Writes as fast as it can and prints each id once its write was acknowledged, until killed."""

import asyncio
import itertools
import sys
from pathlib import Path

from wellio.db import connect
from wellio.db.base import Tx
from wellio.testing.deadline import DEADLINE_S

NUMBERS = itertools.count()


async def make(tx: Tx) -> None:
    await tx.execute("CREATE TABLE t (id {text} PRIMARY KEY, n {int}, note {text}) {strict}")


async def insert(tx: Tx, row_id: str) -> str:
    await tx.execute("INSERT INTO t (id) VALUES (:id)", id=row_id)
    return row_id


async def main(folder: Path) -> None:
    db = await connect(None, data_dir=folder, deadline_s=DEADLINE_S)
    await db.write_schema(make)

    async def write_on() -> None:
        while True:
            sys.stdout.write(await db.write(insert, f"{next(NUMBERS):08}") + "\n")
            sys.stdout.flush()

    await asyncio.gather(*(write_on() for _ in range(20)))


asyncio.run(main(Path(sys.argv[1])))
