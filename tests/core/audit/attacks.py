"""What somebody can do to an audit log who has the database, and neither the folder nor the key."""

import hashlib
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.core.audit.conftest import CRYPTO, Log
from wellio.audit.entry import COLUMNS, canonical, commit
from wellio.audit.keys import AuditKey
from wellio.audit.store import GENESIS
from wellio.db.base import Row, Tx
from wellio.ids import new_id

ALTERABLE = [*(name for name in COLUMNS if name != "id"), "key_id", "hash", "id"]
_ALL = ", ".join((*COLUMNS, "key_id", "hash"))
_VALUES = ", ".join(f":{name}" for name in (*COLUMNS, "key_id", "hash"))
INSERT = f"INSERT INTO wellio_audit (seq, {_ALL}) VALUES (:seq, {_VALUES})"
PENDING = (
    f"INSERT INTO wellio_audit_pending ({', '.join(COLUMNS)}, key_id, mac)"
    f" VALUES ({', '.join(f':{name}' for name in COLUMNS)}, :key_id, :mac)"
)


@dataclass
class Hand:
    """Who tampers, with what they have learned.

    Attributes:
        log: Another process's log, for its database.
        chance: What decides where.
        count: How many rows the chain has.
        captured: Rows as they were before they were sealed, with their proofs.
    """

    log: Log
    chance: random.Random
    count: int
    captured: Sequence[dict[str, Any]]

    def anywhere(self) -> int:
        return self.chance.randint(1, self.count)

    async def row(self, seq: int) -> dict[str, Any]:
        row = await self.log.db.fetch_one("SELECT * FROM wellio_audit WHERE seq = :seq", seq=seq)
        assert row is not None
        return as_dict(row)


def as_dict(row: Row) -> dict[str, Any]:
    return dict(zip(row.keys(), row, strict=True))


def _another(value: Any, chance: random.Random) -> Any:
    if isinstance(value, int):
        return value + chance.choice([-1, 1, 86_400_000])
    if value is None:
        return chance.choice(["", "0", new_id()])
    index = chance.randrange(len(value))
    changed = chr(ord(value[index]) ^ 1)
    return chance.choice([value[:index] + changed + value[index + 1 :], value + "x", ""])


async def alter(hand: Hand) -> None:
    """Change one column of one row."""
    row = await hand.row(hand.anywhere())
    column = hand.chance.choice(ALTERABLE)
    value = _another(row[column], hand.chance)
    await hand.log.run(
        f"UPDATE wellio_audit SET {column} = :value WHERE seq = :seq", value=value, seq=row["seq"]
    )


async def delete(hand: Hand) -> None:
    """Remove one row, or some in a row; and number the others anew, or not."""
    first = hand.anywhere()
    last = min(hand.count, first + hand.chance.choice([0, 0, 1, 50]))
    await hand.log.run(
        "DELETE FROM wellio_audit WHERE seq BETWEEN :first AND :last", first=first, last=last
    )
    if hand.chance.random() < 0.5:
        await _shift(hand, last + 1, first - last - 1)


async def swap(hand: Hand) -> None:
    """Change two rows' places, with their hashes or without."""
    one, other = hand.chance.sample(range(1, hand.count + 1), 2)
    with_hash = hand.chance.random() < 0.5
    first, second = await hand.row(one), await hand.row(other)
    kept = set() if with_hash else {"hash", "key_id"}

    async def body(tx: Tx) -> None:
        await tx.execute(
            "DELETE FROM wellio_audit WHERE seq IN (:one, :other)", one=one, other=other
        )
        for old, new in ((first, second), (second, first)):
            fixed = {name: old[name] for name in kept | {"seq"}}
            await tx.execute(INSERT, **{**new, **fixed})

    await hand.log.db.write_schema(body)


async def insert(hand: Hand) -> None:
    """Add a row: in the middle, at the end, or as one that waits to be sealed."""
    row = {**await hand.row(hand.anywhere()), "id": new_id()}
    match hand.chance.randrange(4):
        case 0:
            await _shift(hand, row["seq"], 1)
            await hand.log.run(INSERT, **row)
        case 1:
            await hand.log.run(INSERT, **{**row, "seq": hand.count + 1})
        case 2:
            mac = hand.chance.choice(["", "0" * 64, "é", row["hash"]])
            await _wait(hand, {**row, "mac": mac})
        case 3:  # a row that is in the chain already, with the proof that it had
            await _wait(hand, dict(hand.chance.choice(hand.captured)))


async def truncate(hand: Hand) -> None:
    """Cut off the end, the last row alone or all of it."""
    keep = hand.chance.choice([0, hand.count - 1, hand.anywhere() - 1])
    await hand.log.run("DELETE FROM wellio_audit WHERE seq > :keep", keep=keep)


async def rehash(hand: Hand) -> None:
    """Change a row and make all hashes from there on anew, with a key of one's own or with none."""
    first = hand.anywhere()
    rows = await hand.log.db.fetch_all(
        "SELECT * FROM wellio_audit WHERE seq >= :first ORDER BY seq", first=first
    )
    before = (await hand.row(first - 1))["hash"] if first > 1 else GENESIS.hash
    own = AuditKey(hand.chance.randbytes(32))
    has_own_key, names_it = hand.chance.random() < 0.5, hand.chance.random() < 0.5
    made = []
    for old in map(as_dict, rows):
        new = {**old, "actor_id": "mallory"} if old["seq"] == first else old
        content = canonical(new)
        if has_own_key:
            new["hash"] = own.link(before, new["seq"], content)
            new["key_id"] = own.id if names_it else new["key_id"]
        else:
            new["hash"] = hashlib.sha256(bytes.fromhex(before) + content).hexdigest()
        before = new["hash"]
        made.append(new)

    async def body(tx: Tx) -> None:
        await tx.execute("DELETE FROM wellio_audit WHERE seq >= :first", first=first)
        await tx.execute_many(INSERT, made)

    await hand.log.db.write_schema(body)


async def forge_details(hand: Hand) -> None:
    """Change personal details, exchange them, make up some, commit to others, or move them."""
    rows = [
        as_dict(row)
        for row in await hand.log.db.fetch_all(
            "SELECT * FROM wellio_audit_detail ORDER BY audit_id LIMIT 200"
        )
    ]
    one, other = hand.chance.sample(rows, 2)
    match hand.chance.randrange(4):
        case 0:
            await hand.log.run(
                "UPDATE wellio_audit_detail SET details = :details WHERE audit_id = :id",
                details='{"userAgent":"Mallory"}',
                id=one["audit_id"],
            )
        case 1:
            for target, source in ((one, other), (other, one)):
                await hand.log.run(
                    "UPDATE wellio_audit_detail SET details = :details, salt = :salt"
                    " WHERE audit_id = :id",
                    details=source["details"],
                    salt=source["salt"],
                    id=target["audit_id"],
                )
        case 2:
            details = '{"userAgent":"Mallory"}'
            await hand.log.run(
                "UPDATE wellio_audit_detail SET details = :details WHERE audit_id = :id",
                details=details,
                id=one["audit_id"],
            )
            await hand.log.run(
                "UPDATE wellio_audit SET commitment = :commitment WHERE id = :id",
                commitment=commit(one["salt"], details),
                id=one["audit_id"],
            )
        case 3:
            await hand.log.run(
                "UPDATE wellio_audit_detail SET user_id = 'carl' WHERE audit_id = :id",
                id=one["audit_id"],
            )


async def take_keys(hand: Hand) -> None:
    """Remove a key, replace it, or exchange its name."""
    own = hand.chance.randbytes(32)
    match hand.chance.randrange(3):
        case 0:
            await hand.log.run("DELETE FROM wellio_audit_key")
        case 1:
            sealed = CRYPTO.seal("another.purpose", own)
            await hand.log.run("UPDATE wellio_audit_key SET sealed = :sealed", sealed=sealed)
        case 2:
            await hand.log.run(
                "UPDATE wellio_audit SET key_id = :key_id WHERE seq = :seq",
                key_id=AuditKey(own).id,
                seq=hand.anywhere(),
            )


async def _shift(hand: Hand, first: int, by: int) -> None:
    """Number the rows from one on anew; by way of negative numbers, which are free."""
    await hand.log.run(
        "UPDATE wellio_audit SET seq = -(seq + CAST(:by AS BIGINT)) WHERE seq >= :first",
        by=by,
        first=first,
    )
    await hand.log.run("UPDATE wellio_audit SET seq = -seq WHERE seq < 0")


async def _wait(hand: Hand, row: dict[str, Any]) -> None:
    wanted = {*COLUMNS, "key_id", "mac"}
    await hand.log.run(PENDING, **{name: row[name] for name in wanted})


ATTACKS: Sequence[Callable[[Hand], Awaitable[None]]] = (
    alter,
    delete,
    swap,
    insert,
    truncate,
    rehash,
    forge_details,
    take_keys,
)
