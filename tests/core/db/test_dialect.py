"""The binder and the splitter: what they replace, what they leave alone, what they refuse."""

import enum
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellio.db.dialect import POSTGRES, SQLITE, Dialect
from wellio.db.script import split_script
from wellio.db.statement import StatementError


class Number(enum.IntEnum):
    """A number with a name."""

    ONE = 1


#: Texts in which nothing may be touched: they stand in quotes or comments.
UNTOUCHED = [
    "':x'",
    "'it''s :x {in x}'",
    '":x"',
    '"a"":x"',
    "-- :x {nonsense} ' \n",
    "/* :x ' {nonsense} */",
    "$$ :x ' {nonsense} $$",
    "$body$ :x $$ ; $body$",
    "a::text",
    "'a'::text",
]


@pytest.mark.parametrize("text", UNTOUCHED)
@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=lambda d: d.engine)
def test_quoted_text_comments_and_casts_are_left_alone(dialect: Dialect, text: str) -> None:
    statement = dialect.statement(f"SELECT {text} , :y")
    assert statement.text == f"SELECT {text} , {':y' if dialect is SQLITE else '$1'}"
    assert statement.names == ("y",)


@pytest.mark.parametrize(
    ("sql", "sqlite", "postgres"),
    [
        ("SELECT :a, :b, :a", "SELECT :a, :b, :a", "SELECT $1, $2, $1"),
        ("SELECT :a::text", "SELECT :a::text", "SELECT $1::text"),
        ("SELECT x[1:2]", "SELECT x[1:2]", "SELECT x[1:2]"),
        ("{for_update}", "", "FOR UPDATE"),
        ("{ skip_locked }", "", "FOR UPDATE SKIP LOCKED"),
        ("id {in ids}", "id IN (SELECT value FROM json_each(:ids))", "id = ANY($1)"),
        (
            "{settled e.xid}",
            "TRUE",
            "(e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)",
        ),
        (
            "{commit above a, (SELECT b)}",
            ":commit_number",
            "GREATEST(pg_current_xact_id()::text::bigint, a, (SELECT b))",
        ),
        ("{by_commit e}", "e.position", "e.xid, e.position"),
        ("{by_commit e desc}", "e.position desc", "e.xid desc, e.position desc"),
        (
            "{past e c}",
            "(e.position > c.position)",
            "((e.xid, e.position) > (c.xid, c.position))",
        ),
        (
            "{upto e :x :p}",
            "(:x IS NOT NULL AND e.position <= :p)",
            "((e.xid, e.position) <= ($1, $2))",
        ),
        (
            "INSERT INTO t {values (id text, n int, k bytes)}",
            "INSERT INTO t (id, n, k) VALUES (?, ?, ?)",
            "INSERT INTO t (id, n, k) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bytea[])",
        ),
        ("a {int} {bool}", "a INTEGER INTEGER", "a BIGINT BOOLEAN"),
        ("{text}", "TEXT", 'TEXT COLLATE "C"'),
    ],
)
def test_tokens_and_parameters_become_each_engines_own(
    sql: str, sqlite: str, postgres: str
) -> None:
    assert SQLITE.statement(sql).text == sqlite
    assert POSTGRES.statement(sql).text == postgres


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("SELECT {nonsense}", "unknown token"),
        ("SELECT {in a b}", "unknown token"),
        ("SELECT * FROM {rows r (a date)}", "cannot read the column"),
        ("SELECT * FROM {rows r (a'b text)}", "cannot read the column"),
        ("SELECT 'open", "stray or unclosed"),
        ("SELECT /* open", "stray or unclosed"),
        ("SELECT }", "stray or unclosed"),
        ("SELECT ?", "stray or unclosed"),
        ("SELECT $1", "stray or unclosed"),
        ("SELECT :a WHERE b {in a}", "used as a"),
        ("COMMIT", "not a body's business"),
        ("/* hidden */ rollback", "not a body's business"),
        ("SET synchronous_commit = off", "not a body's business"),
        ("CREATE TABLE t (a {int} REFERENCES u DEFERRABLE)", "checked at once"),
    ],
)
@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=lambda d: d.engine)
def test_what_cannot_be_meant_is_refused(dialect: Dialect, sql: str, complaint: str) -> None:
    with pytest.raises(StatementError, match=complaint):
        dialect.statement(sql)


@pytest.mark.parametrize("params", [{}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 2}])
def test_missing_and_unused_parameters_are_named(params: dict[str, int]) -> None:
    statement = SQLITE.statement("SELECT :a, :b")
    with pytest.raises(StatementError) as caught:
        statement.for_sqlite(params)
    for name in {"a", "b"} ^ params.keys():
        assert f"'{name}'" in str(caught.value)
    with pytest.raises(StatementError):
        POSTGRES.statement("SELECT :a, :b").positional(params)


def test_few_rows_are_written_out_for_sqlite() -> None:
    statement = SQLITE.statement("SELECT :a FROM {rows r (id text, n int)} WHERE n {in ns} OR :a")
    params = {"a": 7, "ns": [1], "r": [{"id": "x", "n": 1}, {"n": 2, "id": "y"}]}
    text, values = statement.for_sqlite(params)
    assert text == (
        "SELECT ? FROM (SELECT column1 AS id, column2 AS n FROM (VALUES (?, ?), (?, ?))) AS r "
        "WHERE n IN (SELECT value FROM json_each(?)) OR ?"
    )
    assert values == [7, "x", 1, "y", 2, "[1]", 7]
    many = statement.for_sqlite({**params, "r": [{"id": "x", "n": 1}] * 65})
    assert "json_each(:r)" in many[0]


@pytest.mark.parametrize("count", [1, 65])
@pytest.mark.parametrize("value", [UUID(int=1), b"x", [1], {"a": 1}, datetime.now(UTC), Number.ONE])
def test_rows_hold_what_both_engines_take_alike(value: object, count: int) -> None:
    params = {"r": [{"id": value}] * count}
    sql = "SELECT id FROM {rows r (id text)}"
    for bind in (SQLITE.statement(sql).for_sqlite, POSTGRES.statement(sql).positional):
        with pytest.raises(StatementError, match="alone"):
            bind(params)


def test_rows_may_be_tuples_and_hold_bytes_where_they_are_few() -> None:
    statement = SQLITE.statement("SELECT n FROM {rows r (k bytes, n int)}")
    _, values = statement.for_sqlite({"r": [(b"a", 1), (None, 2)]})
    assert values == [b"a", 1, None, 2]
    with pytest.raises(StatementError, match="too many rows"):
        statement.for_sqlite({"r": [(b"a", 1)] * 65})
    postgres = POSTGRES.statement("SELECT n FROM {rows r (k bytes, n int)}")
    assert postgres.positional({"r": [(b"a", 1)]}) == [r'[{"k":"\\x61","n":1}]']


def test_a_statement_is_translated_once() -> None:
    assert SQLITE.statement("SELECT :once") is SQLITE.statement("SELECT :once")


quoted = st.text(alphabet="ab:;'{}-$ \n").map(lambda text: "'" + text.replace("'", "''") + "'")
commented = st.text(alphabet="ab:;'\"{} ").map(lambda text: f"-- {text}\n")
plain = st.sampled_from(["SELECT", "a", "(b + 1)", "x::text", ",", "42"])
words = st.lists(st.one_of(plain, quoted, commented, st.just(":p")), min_size=1, max_size=12)


@given(words)
def test_only_the_parameters_between_quoted_text_are_replaced(pieces: list[str]) -> None:
    text = POSTGRES.statement("SELECT " + " ".join(pieces)).text
    expected = ["$1" if piece == ":p" else piece for piece in pieces]
    assert text == "SELECT " + " ".join(expected)


TRIGGER = """CREATE TRIGGER t_touched AFTER UPDATE ON t BEGIN
  UPDATE t SET n = CASE WHEN n > 1 THEN 1 ELSE 2 END WHERE id = new.id; -- ; END
  DELETE FROM u;
END"""
FUNCTION = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1; SELECT 2 $$"
ATOMIC = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END"
statements = st.one_of(
    words.map(lambda pieces: "SELECT " + " ".join(pieces)),
    st.sampled_from([TRIGGER, FUNCTION, ATOMIC, "CREATE TABLE t (a {int}) {strict}"]),
).map(str.strip)


@given(st.lists(statements, max_size=6))
def test_a_script_splits_into_the_statements_it_was_joined_from(parts: list[str]) -> None:
    script = "".join(f"\n{part}\n;" for part in parts)
    assert split_script(script) == parts


def test_empty_statements_and_a_missing_last_semicolon_do_not_matter() -> None:
    assert split_script("; -- nothing\n ;SELECT 1;; SELECT 2 -- the end") == [
        "SELECT 1",
        "SELECT 2 -- the end",
    ]


@pytest.mark.parametrize("script", ["SELECT 'open; SELECT 1;", "/* open ; SELECT 1"])
def test_an_unclosed_quote_in_a_script_is_refused(script: str) -> None:
    with pytest.raises(StatementError, match="unclosed"):
        split_script(script)
