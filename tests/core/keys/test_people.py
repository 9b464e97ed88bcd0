"""A key for each person: made once, on the disk first, gone from everywhere once it is erased."""

import asyncio
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.keys.conftest import NOW, Open, Practice
from wellio import PersonErased, WellioError, rfc3339
from wellio.db.base import Engine
from wellio.db.sqlite_reader import QuickReader
from wellio.db.write_hook import with_write_hook
from wellio.keys.people import PersonKeys

ANN, BOB = "0190a000-0000-7000-8000-0000000000aa", "0190a000-0000-7000-8000-0000000000bb"


async def is_refused(practice: Practice, person: str, purpose: str, sealed: bytes) -> bool:
    try:
        await practice.people.unseal(person, purpose, sealed)
    except WellioError as error:
        return "does not open with its person's key" in str(error)
    return False


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(plain=st.binary(max_size=300), purpose=st.text(max_size=20), chance=st.randoms())
async def test_sealed_data_opens_for_its_person_and_purpose_alone(
    practice: Practice, plain: bytes, purpose: str, chance: Random
) -> None:
    sealed = await practice.people.seal(ANN, purpose, plain)
    assert await practice.people.unseal(ANN, purpose, sealed) == plain
    await practice.people.seal(BOB, purpose, b"")  # so that Bob has a key
    assert await is_refused(practice, BOB, purpose, sealed)
    assert await is_refused(practice, ANN, purpose + "x", sealed)
    flipped = bytearray(sealed)
    flipped[chance.randrange(len(sealed))] ^= 1 << chance.randrange(8)
    assert await is_refused(practice, ANN, purpose, bytes(flipped))
    assert await is_refused(practice, ANN, purpose, sealed[: chance.randrange(len(sealed))])


async def test_keys_db_is_made_at_the_first_use(practice: Practice, tmp_path: Path) -> None:
    assert await practice.people.reseal() == 0
    assert not (tmp_path / "keys.db").exists()
    sealed = await practice.people.seal(ANN, "note", b"plain")
    assert (tmp_path / "keys.db").stat().st_mode & 0o777 == 0o600
    assert b"plain" not in sealed


async def test_two_first_uses_at_once_make_one_key(practice: Practice, open_practice: Open) -> None:
    people = practice.people
    sealed = await asyncio.gather(*(people.seal(ANN, "note", b"%d" % n) for n in range(20)))
    for n, each in enumerate(sealed):
        assert await people.unseal(ANN, "note", each) == b"%d" % n


async def test_a_key_is_on_the_disk_before_anything_is_sealed_with_it(
    practice: Practice, open_practice: Open, tmp_path: Path
) -> None:
    """What another process reads of the files that are there now opens it."""
    sealed = await practice.people.seal(ANN, "note", b"plain")
    files = {path.name: path.read_bytes() for path in tmp_path.glob("keys.db*")}
    copy = tmp_path / "copy"
    (copy / "secrets").mkdir(parents=True)
    for name, content in files.items():
        (copy / name).write_bytes(content)
        (copy / name).chmod(0o600)
    (copy / "secrets/master.key").write_text((tmp_path / "secrets/master.key").read_text())
    assert await (await open_practice(copy)).people.unseal(ANN, "note", sealed) == b"plain"


async def test_an_erased_persons_data_opens_nowhere_any_more(
    practice: Practice, open_practice: Open, tmp_path: Path
) -> None:
    people = practice.people
    many = [f"person-{n}" for n in range(60)]  # so that the keys lie on several pages
    for who in many:
        await people.seal(who, "note", b"")
    sealed, others = await people.seal(ANN, "note", b"plain"), await people.seal(BOB, "note", b"b")
    gone = [ANN, *many[10:50]]
    stored = [await stored_key(people, who) for who in gone]
    for who in gone:
        await people.erase(who)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert not [key for key in stored if key in content], path.name
    for is_opened_again in (False, True):
        if is_opened_again:
            await people.close()
            people = (await open_practice(tmp_path)).people
        with pytest.raises(PersonErased, match="was erased"):
            await people.unseal(ANN, "note", sealed)
        with pytest.raises(PersonErased):  # and no new key is made for them
            await people.seal(ANN, "note", b"more")
        assert await people.unseal(BOB, "note", others) == b"b"


async def stored_key(people: PersonKeys, person: str) -> bytes:
    """Return the person's key as keys.db holds it."""
    store = people._store  # noqa: SLF001 - the test looks into the file, as a thief would
    assert store
    row = await store.fetch_one(
        "SELECT sealed FROM wellio_person_key WHERE person = :mark",
        mark=people._mark(person),  # noqa: SLF001 - the same
    )
    assert row
    return bytes(row["sealed"])


async def test_who_was_erased_stays_erased_and_is_noted_without_a_name(
    practice: Practice, open_practice: Open, tmp_path: Path
) -> None:
    people = practice.people
    await people.seal(ANN, "note", b"plain")
    await people.erase(ANN)
    await people.erase(BOB)  # who never had a key
    await people.erase(ANN)  # again, as after a crash
    for person in (ANN, BOB):
        with pytest.raises(PersonErased):
            await people.seal(person, "note", b"plain")
    entries = list(map(json.loads, (tmp_path / "erasures.jsonl").read_text().splitlines()))
    assert [entry["at"] for entry in entries] == [rfc3339(NOW)] * 3
    marks = [entry["person"] for entry in entries]
    assert marks[0] == marks[2] != marks[1]
    await people.close()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert marks[0].encode() in written
    assert ANN.encode() not in written
    assert BOB.encode() not in written


async def test_an_erasure_beside_its_persons_seals_lets_none_open_later(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As when the file is busy: a key that was read in a thread may come after the erasure.
    monkeypatch.setattr(QuickReader, "fetch_all", lambda *_: None)
    people = practice.people
    await people.seal(ANN, "note", b"0")
    people._known.clear()  # noqa: SLF001 - as after a start: the key is read beside the erasure
    results = await asyncio.gather(
        *(people.seal(ANN, "note", b"1") for _ in range(5)),
        people.erase(ANN),
        *(people.seal(ANN, "note", b"2") for _ in range(5)),
        return_exceptions=True,
    )
    assert all(isinstance(result, PersonErased) for result in results[6:])
    for result in results[:5]:
        if isinstance(result, bytes):
            with pytest.raises(PersonErased):
                await people.unseal(ANN, "note", result)


async def test_data_whose_key_was_lost_says_so(practice: Practice) -> None:
    await practice.people.seal(BOB, "note", b"")
    with pytest.raises(WellioError, match=r"keys\.db has no key for this person"):
        await practice.people.unseal(ANN, "note", b"whatever")


async def test_another_keys_db_is_refused_until_it_is_adopted(
    practice: Practice, open_practice: Open, tmp_path: Path
) -> None:
    """A database that was restored without its keys.db would quietly make other keys."""
    sealed = await practice.people.seal(ANN, "note", b"plain")
    await practice.people.close()
    for path in tmp_path.glob("keys.db*"):
        path.unlink()
    lost = await open_practice(tmp_path)
    with pytest.raises(WellioError, match="is missing: put the one that belongs"):
        await lost.people.reseal()  # or the master key that it needs would be dropped
    for _ in range(2):
        with pytest.raises(WellioError, match="does not belong to this database: put the one"):
            await lost.people.seal(ANN, "note", b"plain")
    await lost.people.adopt()
    again = await lost.people.seal(ANN, "note", b"plain")
    assert await lost.people.unseal(ANN, "note", again) == b"plain"
    assert await is_refused(lost, ANN, "note", sealed)


async def test_keys_are_sealed_anew_and_nothing_else_changes(
    practice: Practice, open_practice: Open, tmp_path: Path
) -> None:
    people = practice.people
    people_ids = [f"person-{n}" for n in range(450)]  # more than two chunks
    notes = [await people.seal(who, "note", who.encode()) for who in people_ids]
    await people.erase(people_ids[7])
    assert await people.reseal() == 0
    practice.ring.add(NOW)
    assert await people.reseal() == 449
    assert await people.reseal() == 0
    await people.close()
    assert await practice.root.reseal() == 1
    assert practice.ring.drop(NOW) == 1
    again = await open_practice(tmp_path)
    for who, note in list(zip(people_ids, notes, strict=True))[8:]:
        assert await again.people.unseal(who, "note", note) == who.encode()
    with pytest.raises(PersonErased):
        await again.people.unseal(people_ids[7], "note", notes[7])


async def test_an_erasure_beside_a_rotation_stays_one(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = practice.people
    notes = {who: await people.seal(who, "note", b"plain") for who in (ANN, BOB)}
    practice.ring.add(NOW)
    store = people._store  # noqa: SLF001 - between its read and its write comes the erasure
    assert store
    fetch_all = store.fetch_all

    async def then_erase(sql: str, **params: Any) -> Any:
        rows = await fetch_all(sql, **params)
        await people.erase(ANN)
        return rows

    with monkeypatch.context() as patched:
        patched.setattr(store, "fetch_all", then_erase)
        assert await people.reseal() == 1
    with pytest.raises(PersonErased):
        await people.unseal(ANN, "note", notes[ANN])
    assert await people.unseal(BOB, "note", notes[BOB]) == b"plain"


async def test_an_idempotency_key_rides_with_the_effect_and_not_with_a_key(
    practice: Practice, db: Engine
) -> None:
    """A handler that seals makes one write of its own all the same."""
    rode: list[object] = []

    async def ride(tx: object, result: object) -> None:
        rode.append(result)

    async def body(tx: object) -> str:
        return "effect"

    with with_write_hook(ride):
        await practice.people.seal(ANN, "note", b"plain")
        await practice.people.erase(BOB)
        await db.write(body)
    assert rode == ["effect"]
