"""What SQL may rely on: every promise of portability, asked of both engines."""

from collections.abc import Collection
from typing import Any

import pytest

from tests.core.db.conftest import insert, one
from wellio.db.base import Engine, Tx
from wellio.db.dialect import computed_once
from wellio.errors import ConstraintViolation, DatabaseError
from wellio.testing.engines import explain

HUGE = 2**62 + 1


async def run(tx: Tx, *statements: str) -> None:
    for statement in statements:
        await tx.execute(statement)


async def seed(tx: Tx, rows: list[tuple[str, int | None, str | None]]) -> None:
    await tx.execute_many(
        "INSERT INTO t (id, n, note) VALUES (:id, :n, :note)",
        [{"id": row_id, "n": n, "note": note} for row_id, n, note in rows],
    )


async def test_many_rows_are_inserted_at_once(db: Engine) -> None:
    """Each column type, null, no row at all; and a bad row takes the others along."""
    sql = "INSERT INTO typed {values (a text, b int, c float, d bool, e json, f bytes)}"
    rows = [
        (f"päß {n}", HUGE - n, n / 2, n % 2 == 0, '{"a": [1]}', b"\x00\xff") for n in range(100)
    ]

    async def body(tx: Tx) -> None:
        await tx.execute(
            "CREATE TABLE typed (a {text} NOT NULL, b {int}, "
            "c {float}, d {bool}, e {json}, f {bytes}) {strict}"
        )
        await tx.insert(sql, rows)
        await tx.insert(sql, [("nothing", None, None, None, None, None)])
        await tx.insert(sql, [])

    await db.write(body)
    found = await db.fetch_all("SELECT a, b, c, d, e, f FROM typed")
    assert [
        (row[0], row[1], row[2], bool(row[3]), row[4], bytes(row[5])) for row in found[:-1]
    ] == rows
    assert list(found[-1]) == ["nothing", *5 * [None]]

    async def bad(tx: Tx) -> None:
        await tx.insert(sql, [rows[0], (None, *rows[1][1:])])

    with pytest.raises(ConstraintViolation):
        await db.write(bad)
    assert len(await db.fetch_all("SELECT a FROM typed")) == 101


async def column(db: Engine, sql: str, **params: object) -> list[Any]:
    return [row[0] for row in await db.fetch_all(sql, **params)]


async def test_every_column_type_comes_back_as_it_went_in(db: Engine) -> None:
    async def body(tx: Tx) -> None:
        await tx.execute(
            "CREATE TABLE typed (a {text}, b {int}, "
            "c {float}, d {bool}, e {json}, f {bytes}) {strict}"
        )
        for _ in range(2):
            await tx.execute(
                "INSERT INTO typed VALUES (:a, :b, :c, :d, :e, :f)",
                a="päß 😀 ' \" :x {y}",
                b=HUGE,
                c=0.5,
                d=True,
                e='{"a": [1, null, "x"]}',
                f=b"\x00\xff",
            )
            await tx.execute("DELETE FROM typed WHERE d = FALSE")

    await db.write(body)
    row = await one(db, "SELECT * FROM typed WHERE d")
    assert list(row.keys()) == ["a", "b", "c", "d", "e", "f"]
    assert (row["a"], row["b"], row["c"]) == ("päß 😀 ' \" :x {y}", HUGE, 0.5)
    assert bool(row["d"]) is True
    assert row["e"] == '{"a": [1, null, "x"]}'
    assert bytes(row["f"]) == b"\x00\xff"
    assert (row[0], len(row), list(row)[1]) == (row["a"], 6, HUGE)


async def test_a_strict_table_takes_no_other_type(db: Engine) -> None:
    async def wrong(tx: Tx) -> None:
        await tx.execute("INSERT INTO t (id, n) VALUES ('a', :n)", n="not a number")

    with pytest.raises(DatabaseError):
        await db.write(wrong)


async def test_numbers_too_large_for_a_column_are_an_error_of_ours(db: Engine) -> None:
    with pytest.raises(DatabaseError):
        await db.write(insert, "a", 2**63)


async def test_sums_and_averages_are_plain_numbers(db: Engine) -> None:
    await db.write(seed, [("a", HUGE, None), ("b", 1, None), ("c", None, None)])
    row = await one(db, "SELECT sum(n) AS s, avg(n - n + 2.5) AS a, count(n) AS c FROM t")
    assert (row["s"], row["a"], row["c"]) == (HUGE + 1, 2.5, 2)
    assert isinstance(row["s"], int)
    assert isinstance(row["a"], float)


async def test_text_sorts_by_bytes_and_like_minds_the_case(db: Engine) -> None:
    await db.write(seed, [(x, 0, None) for x in ["b", "B", "a", "A", "é", "_", "10", "9"]])
    assert await column(db, "SELECT id FROM t ORDER BY id") == sorted(
        ["b", "B", "a", "A", "é", "_", "10", "9"]
    )
    assert await column(db, "SELECT max(id) FROM t") == ["é"]
    assert await column(db, "SELECT id FROM t WHERE id LIKE 'a%'") == ["a"]
    assert await column(db, "SELECT id FROM t WHERE id LIKE :p ESCAPE '!'", p="!_%") == ["_"]
    assert await column(db, "SELECT lower(id) FROM t WHERE id {in ids}", ids=["B", "é"]) == [
        "b",
        "é",
    ]


async def test_nulls_go_where_they_are_told(db: Engine) -> None:
    await db.write(seed, [("a", None, None), ("b", 2, None), ("c", 1, None)])
    assert await column(db, "SELECT id FROM t ORDER BY n NULLS LAST") == ["c", "b", "a"]
    assert await column(db, "SELECT id FROM t ORDER BY n DESC NULLS LAST") == ["b", "c", "a"]


async def test_returning_and_on_conflict(db: Engine) -> Any:
    async def upsert(tx: Tx) -> Any:
        sql = """
            INSERT INTO t (id, n) VALUES ('a', 1)
            ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n RETURNING id, n
        """
        first, second = await one(tx, sql), await one(tx, sql)
        ignored = await tx.execute("INSERT INTO t (id, n) VALUES ('a', 9) ON CONFLICT DO NOTHING")
        counted = await tx.execute("UPDATE t SET n = n + 1 RETURNING n")
        return first["n"], second["n"], ignored, counted

    assert await db.write(upsert) == (1, 2, 0, 1)
    assert await column(db, "SELECT n FROM t") == [3]


async def test_execute_counts_rows(db: Engine) -> Any:
    async def body(tx: Tx) -> Any:
        await seed(tx, [(str(i), i, None) for i in range(5)])
        return (
            await tx.execute("UPDATE t SET n = 9 WHERE n > :n", n=2),
            await tx.execute("DELETE FROM t WHERE n = 9"),
            await tx.execute("DELETE FROM t WHERE n = 100"),
        )

    assert await db.write(body) == (2, 2, 0)


async def test_ctes_windows_and_filters(db: Engine) -> None:
    await db.write(seed, [("a", 1, "x"), ("b", 2, "x"), ("c", 3, "y")])
    rows = await db.fetch_all(
        """
        WITH RECURSIVE count_up (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM count_up WHERE i < 3)
        SELECT id, row_number() OVER (PARTITION BY note ORDER BY n DESC) AS place,
               sum(n) FILTER (WHERE note = 'x') OVER () AS xs
        FROM t JOIN count_up ON count_up.i = t.n ORDER BY id
        """
    )
    assert [tuple(row) for row in rows] == [("a", 2, 3), ("b", 1, 3), ("c", 1, 3)]


@pytest.mark.parametrize("names", [[], ["a"], ("a", "c"), {"a", "b"}, ["a", "it's", "null"]])
async def test_a_list_parameter(db: Engine, names: Collection[str]) -> None:
    await db.write(seed, [("a", 1, None), ("b", 2, None), ("c", 3, None), ("it's", 4, None)])
    inside = await column(db, "SELECT id FROM t WHERE id {in ids} ORDER BY id", ids=names)
    outside = await column(db, "SELECT id FROM t WHERE NOT id {in ids} ORDER BY id", ids=names)
    assert inside == sorted({"a", "b", "c", "it's"} & set(names))
    assert outside == sorted({"a", "b", "c", "it's"} - set(names))
    assert await column(db, "SELECT id FROM t WHERE n {in ns}", ns=[2, HUGE]) == ["b"]


async def test_rows_are_a_table(db: Engine) -> Any:
    async def body(tx: Tx) -> Any:
        await seed(tx, [("a", 5, None)])
        await tx.execute("CREATE TABLE doc (id {text} PRIMARY KEY, body {json} NOT NULL) {strict}")
        rows = [
            {"id": "a", "n": HUGE, "f": 0.5, "b": True, "j": '{"k": "v"}'},
            {"id": "é'", "n": None, "f": 1.0, "b": False, "j": '["x"]'},
        ]
        await tx.execute(
            "INSERT INTO doc SELECT id, j FROM {rows r (id text, j json)} WHERE id IS NOT NULL",
            r=rows,
        )
        joined = await tx.fetch_all(
            """
            SELECT r.id, r.n, r.f, r.b, t.n AS old
            FROM {rows r (id text, n int, f float, b bool)} LEFT JOIN t ON t.id = r.id
            ORDER BY r.id
            """,
            r=rows,
        )
        return [(r["id"], r["n"], r["f"], bool(r["b"]), r["old"]) for r in joined]

    assert await db.write(body) == [("a", HUGE, 0.5, True, 5), ("é'", None, 1.0, False, None)]
    assert await column(db, "SELECT body FROM doc ORDER BY id") == ['{"k": "v"}', '["x"]']


@pytest.mark.parametrize("count", [0, 1, 2, 64, 65, 300])
async def test_any_number_of_rows_goes_with_other_parameters(db: Engine, count: int) -> None:
    sql = """
    SELECT r.id, r.n + :more AS n, r.f, r.b, x.note
    FROM {rows r (id text, n int, f float, b bool, missing text)}
    LEFT JOIN {rows x (id text, note text)} ON x.id = r.id
    WHERE r.missing IS NULL AND r.n + :more >= :more AND NOT r.id {in ids} ORDER BY r.n
    """
    rows = [{"id": f"é{n}'", "n": n, "f": n / 2, "b": n % 2 == 0} for n in range(count)]
    found = await db.fetch_all(sql, r=rows, x=[{"id": "é1'", "note": "😀"}], ids=["é0'"], more=HUGE)
    assert [(r["id"], r["n"], r["f"], bool(r["b"]), r["note"]) for r in found] == [
        (f"é{n}'", HUGE + n, n / 2, n % 2 == 0, "😀" if n == 1 else None) for n in range(1, count)
    ]


async def test_locks_and_settled_transactions_are_no_ones_worry_on_one_node(db: Engine) -> None:
    async def body(tx: Tx) -> None:
        await run(
            tx,
            "CREATE TABLE log (position {serial}, xid {xid}, id {text} NOT NULL) {strict}",
            "INSERT INTO log (id) VALUES ('first')",
            "INSERT INTO log (id) VALUES ('second')",
        )
        await seed(tx, [("a", 1, None)])
        assert await tx.fetch_one("SELECT n FROM t WHERE id = 'a' {for_update}")
        assert await tx.fetch_one("SELECT n FROM t WHERE id = 'a' {skip_locked}")

    await db.write(body)
    sql = "SELECT position, xid, id FROM log WHERE {settled xid} ORDER BY xid, position"
    first, second = await db.fetch_all(sql)
    assert (first["id"], second["id"]) == ("first", "second")
    later = await db.fetch_all(
        "SELECT id FROM log WHERE (xid, position) > (:xid, :position) AND {settled log.xid}",
        xid=first["xid"],
        position=first["position"],
    )
    assert [row["id"] for row in later] == ["second"]


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("{position}('a%b', '%')", 2),
        ("{position}('äb', 'b')", 2),
        ("{position}('ab', 'c')", 0),
        ("{position}('', '')", 1),
        ("{least}(2.0, -1.0, 3.0)", -1.0),
        ("{greatest}(2.0, -1.0, 3.0)", 3.0),
        ('(SELECT count(*) FROM {json_texts}(CAST(\'["a", "b"]\' AS {json})))', 2),
        ('(SELECT max(value) FROM {json_texts}(CAST(\'["a", "b"]\' AS {json})))', "b"),
        ("(SELECT count(*) FROM {json_texts}(CAST(NULL AS {json})))", 0),
        ("CASE WHEN 'a' {bytewise} < 'B' {bytewise} THEN 1 ELSE 0 END", 0),
        (computed_once("t.n + 1", lambda value: "(" + value + " * " + value + ")"), 9),
    ],
)
async def test_functions_of_the_engines_have_one_name(db: Engine, sql: str, answer: object) -> None:
    await db.write(insert, "a", 2)
    assert (await one(db, "SELECT " + sql + " AS answer FROM t"))["answer"] == answer


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("INSERT INTO child VALUES ('c', 'p', 1)", "unique"),
        ("INSERT INTO child VALUES ('d', 'p', 1)", "unique"),
        ("INSERT INTO child VALUES ('d', 'nobody', 2)", "foreign_key"),
        ("DELETE FROM parent", "foreign_key"),
        ("INSERT INTO child VALUES ('d', 'p', -1)", "check"),
        ("INSERT INTO child VALUES ('d', NULL, 2)", "not_null"),
    ],
)
async def test_constraints_say_which_kind_they_are_and_nothing_of_the_data(
    db: Engine, sql: str, kind: str
) -> None:
    async def tables(tx: Tx) -> None:
        await run(
            tx,
            "CREATE TABLE parent (id {text} PRIMARY KEY) {strict}",
            """CREATE TABLE child (
                id {text} PRIMARY KEY, parent {text} NOT NULL REFERENCES parent (id),
                n {int} NOT NULL UNIQUE CHECK (n > 0)
            ) {strict}""",
            "INSERT INTO parent VALUES ('p')",
            "INSERT INTO child VALUES ('c', 'p', 1)",
        )

    await db.write(tables)
    with pytest.raises(ConstraintViolation) as caught:
        await db.write(run, sql)
    assert caught.value.kind == kind
    assert "nobody" not in str(caught.value)


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM nowhere", "SELEC", "SELECT :n", "SELECT id FROM t WHERE id = :a"]
)
async def test_wrong_sql_is_a_database_error_wherever_it_runs(db: Engine, sql: str) -> None:
    async def body(tx: Tx) -> None:
        await tx.fetch_all(sql)

    with pytest.raises(DatabaseError):
        await db.fetch_all(sql)
    with pytest.raises(DatabaseError):
        await db.fetch_one(sql)
    with pytest.raises(DatabaseError):
        await db.write(body)


async def test_explain_names_the_index(db: Engine) -> None:
    assert "t_pkey" in (plan := await explain(db, "SELECT n FROM t WHERE id = :id", id="a")) or (
        "sqlite_autoindex_t_1" in plan
    )
    plan = await explain(db, "SELECT n FROM t WHERE note = :note", note="a")
    assert "t_pkey" not in plan
    assert "autoindex" not in plan
