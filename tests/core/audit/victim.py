"""A process that records, seals and signs until it is killed: `python -m tests.core.audit.victim`.

It prints a note once its commit is acknowledged.
"""

import asyncio
import sys
from itertools import count
from pathlib import Path

from tests.core.audit.conftest import CRYPTO
from wellio.audit import Audit
from wellio.clock import SystemClock
from wellio.db import connect
from wellio.db.base import Tx
from wellio.testing.deadline import DEADLINE_S


async def main(url: str, data_dir: str, life: str) -> None:
    """Record without end."""
    db = await connect(url, data_dir=Path(data_dir), deadline_s=DEADLINE_S)
    audit = Audit(db, SystemClock(), CRYPTO, Path(data_dir) / "audit.anchors")
    await audit.start(workers=True)
    for number in count():
        note = f"{life} {number}"

        async def body(tx: Tx, note: str = note) -> None:
            for _ in range(20):
                await audit.record(tx, "thing.noted", "thing", actor_id=None, note=note)

        await db.write(body)
        print(f"acknowledged {note}", flush=True)
        await audit.seal()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
