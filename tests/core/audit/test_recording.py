"""What a row says, when it counts, and what of it can be taken away."""

from typing import Any

import pytest

from tests.core.audit.conftest import START, Log
from wellio.audit import ADDRESS, API_KEY, AuditDetails
from wellio.audit.origin import network_of
from wellio.db.base import Tx
from wellio.errors import PluginError
from wellio.observe.log import REQUEST_ID


async def test_a_row_says_who_did_what_to_what_and_from_where(log: Log) -> None:
    async def body(tx: Tx) -> None:
        await log.audit.record(
            tx,
            "client.assigned",
            "client",
            "c1",
            actor_id="olga",
            subject_id="carl",
            client_id="c1",
            note="from owner to coach",
        )

    request_id, address = REQUEST_ID.set("request-1"), ADDRESS.set("203.0.113.77")
    key = API_KEY.set("key-1")
    await log.db.write(body)
    REQUEST_ID.reset(request_id)
    ADDRESS.reset(address)
    API_KEY.reset(key)
    await log.audit.seal()
    [row] = await log.rows()
    said = dict(zip(row.keys(), row, strict=True))
    assert said == {
        "id": said["id"],
        "key_id": said["key_id"],
        "hash": said["hash"],
        "seq": 1,
        "at": START,
        "actor_id": "olga",
        "action": "client.assigned",
        "object_kind": "client",
        "object_id": "c1",
        "subject_id": "carl",
        "client_id": "c1",
        "note": "from owner to coach",
        "request_id": "request-1",
        "network": "203.0.113.0/24",
        "api_key_id": "key-1",
        "commitment": None,
    }


async def test_what_is_not_committed_was_not_done(log: Log) -> None:
    async def body(tx: Tx) -> None:
        await log.audit.record(tx, "thing.noted", "thing", "1", actor_id=None)
        raise LookupError

    with pytest.raises(LookupError):
        await log.db.write(body)
    await log.note()
    await log.audit.seal()
    assert len(await log.rows()) == 1


@pytest.mark.parametrize(
    "address, network",
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("127.0.0.1", "127.0.0.0/24"),
        ("", None),
        ("somewhere", None),
    ],
)
def test_an_address_is_kept_as_its_network(address: str, network: str | None) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "noted"},
        {"action": "Thing.noted"},
        {"action": "thing.noted; DROP"},
        {"note": ""},
        {"note": "she said: help"},
        {"note": "a line\nand another"},
        {"note": "long" * 51},
        {"details": {"userAgent": "x"}, "subject_id": None},
    ],
)
async def test_a_row_has_no_room_for_contents(log: Log, wrong: dict[str, Any]) -> None:
    given = {"action": "thing.noted", "subject_id": "zoe", **wrong}

    async def body(tx: Tx) -> None:
        await log.audit.record(tx, kind="thing", actor_id=None, **given)

    with pytest.raises(PluginError):
        await log.db.write(body)
    assert (await log.verify()).pending == 0


async def test_details_go_with_the_person_and_the_log_stays_intact(log: Log) -> None:
    await log.note(2, details=True)
    await log.audit.seal()
    await log.note(1, details=True)
    await log.note(1, details=True, subject_id="carl")
    data = AuditDetails(log.audit)
    [first, *_] = exported = (await data.export("zoe"))["wellio_audit_detail"]
    assert len(exported) == 3
    assert first | {"id": ""} == {
        "id": "",
        "at": 1_772_000_000_000,
        "action": "thing.noted",
        "details": {"userAgent": "Browser 0"},
    }

    await log.db.write(data.erase, "zoe")
    await log.db.write(data.erase, "zoe")  # again is no mistake, and nothing to tell of
    assert (await data.export("zoe"))["wellio_audit_detail"] == []
    report = await log.verify()
    assert (report.is_intact, report.details, report.erased) == (True, 1, 3)
    await log.audit.seal()
    report = await log.verify()
    assert (report.is_intact, report.rows, report.details, report.erased) == (True, 5, 1, 3)
    assert [row["action"] for row in await log.rows()][-1] == "audit.details_erased"


async def test_details_that_are_kept_as_another_persons_are_seen(log: Log) -> None:
    await log.sealed(2, details=True)
    await log.note(2, details=True)
    for row in await log.db.fetch_all("SELECT audit_id FROM wellio_audit_detail"):
        move = "UPDATE wellio_audit_detail SET user_id = :to WHERE audit_id = :id"
        await log.run(move, to="carl", id=row["audit_id"])
        [found] = (await log.verify()).breaks
        assert (found.kind, found.id) == ("details", row["audit_id"])
        await log.run(move, to="zoe", id=row["audit_id"])
    assert (await log.verify()).is_intact


async def test_a_commitment_says_nothing_about_the_same_details(log: Log) -> None:
    await log.note(1, details=True)
    await log.note(1, details=True)
    await log.audit.seal()
    first, second = await log.rows()
    assert first["commitment"] != second["commitment"]
