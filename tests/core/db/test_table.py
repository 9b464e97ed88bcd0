"""Table, asked of both engines: what goes in comes out; pages, changes, the form on the wire."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellio import (
    Change,
    ConstraintViolation,
    DatabaseError,
    Fragment,
    Id,
    IfMatch,
    Instant,
    Invalid,
    Name,
    NotFound,
    PageQuery,
    PluginError,
    PreconditionFailed,
    Row,
    Slice,
    Table,
    Tx,
    Wire,
    encode_cursor,
    new_id,
)
from wellio.db.base import Engine
from wellio.http.etag import tag_of
from wellio.testing.engines import Databases, EngineName


class Part(Wire):
    made_at: Instant
    is_new: bool = False


class Thing(Wire):
    id: Id
    name: Name
    kind: Literal["cup", "plate"]
    count: int
    weight: float | None
    is_hot: bool | None
    born: date | None
    seen_at: Instant | None
    extra: dict[str, Any] | None
    parts: list[Part]
    created_at: Instant


THINGS = Table(
    "test_thing",
    Thing,
    "name_ci",
    "secret json",
    "version int",
    "updated_at int",
    order=["name_ci"],
)
NEWEST = Table("test_thing", Thing, order=["created_at"], descending=True)
TABLE = """
CREATE TABLE test_thing (
    id {text} PRIMARY KEY, name {text} NOT NULL, name_ci {text} NOT NULL, kind {text} NOT NULL,
    count {int} NOT NULL CHECK (count >= 0), weight {float}, is_hot {bool}, born {text},
    seen_at {int}, extra {json}, parts {json} NOT NULL, secret {json},
    version {int} NOT NULL DEFAULT 1, created_at {int} NOT NULL, updated_at {int} NOT NULL
) {strict}
"""
CUP: dict[str, Any] = {
    "name": "Cup",
    "name_ci": "cup",
    "kind": "cup",
    "count": 2,
    "weight": 0.5,
    "is_hot": True,
    "born": date(1990, 2, 28),
    "seen_at": 1_772_357_400_001,
    "extra": {"b": [1, None, {"ä": 1.5}], "a": True},
    "parts": [Part(made_at=1_772_357_400_000)],
    "secret": ["x"],
}
BARE = {"name": "Bare", "name_ci": "bare", "kind": "plate", "count": 0, "parts": []}


async def make_table(tx: Tx) -> None:
    await tx.execute(TABLE)


@pytest.fixture
async def db(engine_name: EngineName, tmp_path: Path) -> AsyncIterator[Engine]:
    databases = Databases(engine_name, tmp_path, lambda engine: engine.write_schema(make_table))
    async with databases.open() as engine:
        yield engine


async def insert(db: Engine, values: dict[str, Any], now: int = 5) -> Row:
    return await db.write(THINGS.insert, values, now=now)


async def change(db: Engine, row_id: str, values: dict[str, Any], now: int = 9) -> Change:
    return await db.write(THINGS.change, row_id, values, now=now)


async def test_every_type_comes_back_as_it_went_in(db: Engine) -> None:
    row = await insert(db, CUP)
    assert (await THINGS.read(db, row["id"]))["extra"] == row["extra"]
    assert (row["created_at"], row["updated_at"], row["version"]) == (5, 5, 1)
    assert (row["born"], orjson.loads(row["secret"])) == ("1990-02-28", ["x"])
    assert THINGS.wire(row) == {
        "id": row["id"],
        "name": "Cup",
        "kind": "cup",
        "count": 2,
        "weight": 0.5,
        "isHot": True,
        "born": "1990-02-28",
        "seenAt": "2026-03-01T09:30:00.001Z",
        "extra": {"b": [1, None, {"ä": 1.5}], "a": True},
        "parts": [{"madeAt": "2026-03-01T09:30:00.000Z", "isNew": False}],
        "createdAt": "1970-01-01T00:00:00.005Z",
    }
    assert THINGS.wire(row)["isHot"] is True  # and not 1


async def test_what_is_not_given_is_null(db: Engine) -> None:
    row = await insert(db, {**BARE, "id": new_id(), "created_at": 3}, now=4)
    wire = THINGS.wire(row)
    assert [wire[it] for it in ("weight", "isHot", "born", "seenAt", "extra")] == [None] * 5
    assert (row["created_at"], row["updated_at"], wire["parts"]) == (3, 4, [])


async def test_a_constraint_that_refuses_passes(db: Engine) -> None:
    row = await insert(db, CUP)
    for wrong, kind in (
        ({**CUP, "count": -1}, "check"),
        ({**CUP, "id": row["id"]}, "unique"),
        ({"name": "x"}, "not_null"),
    ):
        with pytest.raises(ConstraintViolation) as caught:
            await insert(db, wrong)
        assert caught.value.kind == kind
    with pytest.raises(ConstraintViolation):
        await change(db, row["id"], {"count": -1})


async def test_a_column_that_is_none_is_refused(db: Engine) -> None:
    row = await insert(db, CUP)
    for values in ({"colour": "red"}, {"version": 7}):
        with pytest.raises(DatabaseError, match="no columns"):
            await change(db, row["id"], values)


async def test_what_is_not_there_is_not_found(db: Engine) -> None:
    row = await insert(db, CUP)
    await db.write(THINGS.delete, row["id"])
    with pytest.raises(NotFound):
        await THINGS.read(db, row["id"])
    with pytest.raises(NotFound):
        await db.write(THINGS.lock, row["id"])
    with pytest.raises(NotFound):
        await change(db, row["id"], {"count": 1})
    with pytest.raises(NotFound):
        await db.write(THINGS.delete, row["id"])


@pytest.mark.parametrize(
    "values, changed",
    [
        ({"name": "Mug", "name_ci": "mug"}, ("name", "name_ci")),
        ({"name": "Mug", "count": 2, "is_hot": True}, ("name",)),
        ({"is_hot": False, "born": None, "seen_at": 1}, ("is_hot", "born", "seen_at")),
        ({"count": 3, "extra": {"a": True, "b": [1, None, {"ä": 1.5}]}}, ("count",)),
        ({"extra": {"b": [1, None, {"ä": 1.5}], "a": 1}}, ("extra",)),  # 1 is not true
        ({"parts": []}, ("parts",)),
        ({"secret": None}, ("secret",)),
    ],
)
async def test_a_change_tells_what_differs(
    db: Engine, values: dict[str, Any], changed: tuple[str, ...]
) -> None:
    row = await insert(db, CUP)
    found = await change(db, row["id"], values)
    assert found.changed == changed
    assert list(found.before) == list(row)
    assert list(found.after) == list(await THINGS.read(db, row["id"]))
    assert (found.after["version"], found.after["updated_at"]) == (2, 9)
    assert found.after["created_at"] == 5


@pytest.mark.parametrize(
    "values",
    [{}, {"count": 2}, {it: CUP[it] for it in CUP}, {"extra": {"a": True, **CUP["extra"]}}],
)
async def test_a_change_of_nothing_writes_nothing(db: Engine, values: dict[str, Any]) -> None:
    row = await insert(db, CUP)
    found = await change(db, row["id"], values)
    assert found.changed == ()
    assert list(found.after) == list(found.before) == list(await THINGS.read(db, row["id"]))
    assert (await THINGS.read(db, row["id"]))["version"] == 1


async def test_a_change_takes_a_row_that_was_locked(db: Engine) -> None:
    async def body(tx: Tx, row_id: str) -> Change:
        row = await THINGS.lock(tx, row_id)
        return await THINGS.change(tx, row, {"count": row["count"] + 1}, now=9)

    row = await insert(db, CUP)
    assert (await db.write(body, row["id"])).after["count"] == 3


async def test_a_table_without_a_version_is_changed_too(db: Engine) -> None:
    row = await insert(db, CUP)
    found = await db.write(NEWEST.change, row["id"], {"count": 7}, now=9)
    assert found.changed == ("count",)
    assert (await THINGS.read(db, row["id"]))["version"] == 1


async def test_a_change_insists_on_a_state(db: Engine) -> None:
    row = await insert(db, CUP)
    seen = IfMatch({tag_of(orjson.dumps(THINGS.wire(row)))}, THINGS.wire)
    await db.write(THINGS.change, row["id"], {"count": 3}, seen, now=9)
    with pytest.raises(PreconditionFailed):
        await db.write(THINGS.change, row["id"], {"count": 4}, seen, now=9)
    assert (await THINGS.read(db, row["id"]))["count"] == 3


async def names(
    db: Engine, table: Table, limit: int, where: Fragment | None = None
) -> tuple[list[str], int]:
    """Walk a list; return its names and the number of pages."""
    found: list[str] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor:
        part = await table.page(db, PageQuery(limit=limit, cursor=cursor), where)
        assert len(part.rows) <= limit
        found += [row["name"] for row in part.rows]
        cursor, pages = part.next_cursor, pages + 1
    return found, pages


@pytest.mark.parametrize("limit, pages", [(1, 5), (2, 3), (5, 1), (100, 1)])
async def test_a_page_follows_another_where_sort_keys_are_equal(
    db: Engine, limit: int, pages: int
) -> None:
    for name, key, now in (
        ("a", "x", 1),
        ("b", "x", 3),
        ("c", "x", 2),
        ("d", "w", 2),
        ("e", "y", 2),
    ):
        row_id = f"01a20772-1225-73e4-a6d8-513d962f6fd{name}"
        await insert(db, {**BARE, "id": row_id, "name": name, "name_ci": key}, now=now)
    assert await names(db, THINGS, limit) == (["d", "a", "b", "c", "e"], pages)
    assert await names(db, NEWEST, limit) == (["b", "e", "d", "c", "a"], pages)


async def test_a_page_of_nothing_is_empty(db: Engine) -> None:
    assert await THINGS.page(db, PageQuery()) == Slice([], None)


async def test_a_condition_holds_of_every_page(db: Engine) -> None:
    for name in "abcd":
        await insert(db, {**BARE, "name": name, "name_ci": name, "count": ord(name)})
    where = Fragment("t.count = :a OR t.count = :b", {"a": ord("a"), "b": ord("c")})
    assert await names(db, THINGS, 1, where) == (["a", "c"], 2)


@pytest.mark.parametrize("cursor", ["x", encode_cursor("x"), encode_cursor(1, "x")])
async def test_a_cursor_of_another_list_is_refused(db: Engine, cursor: str) -> None:
    with pytest.raises(Invalid):
        await THINGS.page(db, PageQuery(cursor=cursor))
    with pytest.raises(Invalid):
        await NEWEST.page(db, PageQuery(cursor=encode_cursor("1", "x")))


async def test_a_join_follows_what_it_selects(db: Engine) -> None:
    row = await insert(db, CUP)
    sql = THINGS.select + "JOIN test_thing o ON o.id = t.id WHERE o.count = :count"
    [found] = await db.fetch_all(sql, count=2)
    assert THINGS.wire(found) == THINGS.wire(row)


INSTANTS = st.integers(-62_135_596_800_000, 253_402_300_799_999)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {
            "id": st.uuids().map(str),
            "name": st.text("abc ä😀", min_size=1).map(str.strip).filter(bool),
            "kind": st.sampled_from(["cup", "plate"]),
            "count": st.integers(-(2**63), 2**63 - 1),
            "weight": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "is_hot": st.none() | st.booleans() | st.integers(0, 1),
            "born": st.none() | st.dates().map(date.isoformat),
            "seen_at": st.none() | INSTANTS,
            "extra": st.none() | st.dictionaries(st.text(), JSON).map(orjson.dumps),
            "parts": st.lists(INSTANTS.map(lambda at: Part(made_at=at))),
            "created_at": INSTANTS,
        }
    )
)
def test_the_wire_is_what_pydantic_says(row: dict[str, Any]) -> None:
    parts = [part.model_dump(mode="json", by_alias=True) for part in row["parts"]]
    extra = None if row["extra"] is None else orjson.loads(row["extra"])
    model = Thing.model_validate({**row, "extra": extra, "parts": parts})
    stored: Any = {**row, "parts": orjson.dumps(parts)}
    wire = THINGS.wire(stored)
    assert orjson.dumps(wire) == orjson.dumps(model.model_dump(mode="json", by_alias=True))


def test_a_slice_ends_with_a_cursor_only_if_there_is_more() -> None:
    assert Slice.of([1, 2, 3], 2, str) == Slice([1, 2], "2")
    assert Slice.of([1, 2], 2, str) == Slice([1, 2], None)


@dataclass
class NoModel:
    id: str


class Sum(Wire):
    id: Id
    sum: int | str


class Late(Wire):
    id: Id
    at: datetime


class Nested(Wire):
    id: Id
    inner: NoModel


class NoId(Wire):
    name: Name


@pytest.mark.parametrize("model", [Sum, Late, Nested, NoId])
def test_a_model_that_is_no_row_is_refused(model: type[Wire]) -> None:
    with pytest.raises(PluginError):
        Table("test_other", model, order=())


@pytest.mark.parametrize("order", [("colour",), ("seen_at",)])
def test_an_order_of_what_may_be_null_is_refused(order: tuple[str, ...]) -> None:
    with pytest.raises(PluginError):
        Table("test_thing", Thing, order=order)
