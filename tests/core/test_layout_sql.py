"""What SQL may say: a plugin's own tables, others' published views, one text for both engines."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.core.source_tree import ROOT, Rule, Rules, Source, breaches, init_of, read, sample

CODE = read("wellio", "plugins", "examples")
MIGRATIONS = sorted((ROOT / "plugins").rglob("migrations/*.sql")) + sorted(
    path for folder in ("wellio", "examples") for path in (ROOT / folder).rglob("migrations/*.sql")
)
# Upper-case keywords before lower-case names: prose does not look like this.
SQL = re.compile(r"\b(SELECT|INSERT INTO|DELETE FROM|UPDATE [a-z_]+ SET|WHERE|FROM [a-z_]+|JOIN)\b")
NAMED = re.compile(
    r"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|USING)\s+(?:ONLY\s+)?([a-z_][a-z0-9_]*)\b(?!\s*\()"
)
# Comments, texts, and the FROM that is followed by a value.
NO_TABLE = re.compile(r"--[^\n]*|'[^']*'|\bDISTINCT FROM\b|\bEXTRACT\s*\([^)]*\)")
CTE = re.compile(r"\b([a-z_]+)\s*(?:\([a-z_, ]+\)\s*)?AS\s+(?:NOT\s+)?(?:MATERIALIZED\s+)?\(")
CREATED = re.compile(
    r"\bCREATE\s+(?:UNIQUE\s+)?(TABLE|VIEW|INDEX)\s+(?:IF NOT EXISTS\s+)?([a-z0-9_]+)"
)
REFERENCE = re.compile(r"\bREFERENCES\s+([a-z_0-9]+)\s*(?:\([^)]*\))?([^,;]*)")
VIEW = re.compile(r"[a-z]+_v_[a-z_]+")
MigrationRule = Callable[[str, str], Iterator[str]]
ENGINES = {"sqlite", "postgres", "postgresql"}
DRIVERS = {"sqlite3", "aiosqlite", "asyncpg"}


def prefix_of(package: str) -> str:
    """Return what the names of a package's tables begin with: `chat_`, the core's `wellio_`."""
    return package.removeprefix("wellio_").removeprefix("plugin_") + "_"


def foreign_tables(sql: str, prefix: str, nearby: str = "") -> list[str]:
    """Return the tables in a statement that are neither its own nor published views.

    Args:
        sql: The statement, or a part of one.
        prefix: What the names of its own tables begin with.
        nearby: Text that may hold the beginning of the statement: what a WITH names is no table.
    """
    bare = NO_TABLE.sub(" ", sql)
    known = set(CTE.findall(bare + nearby))
    return [
        name
        for name in NAMED.findall(bare)
        if not name.startswith(prefix) and not VIEW.fullmatch(name) and name not in known
    ]


def texts(source: Source) -> Iterator[tuple[int, str]]:
    """Return a file's string literals but its docstrings."""
    prose = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


def in_database_package(source: Source) -> bool:
    """Return whether a file is of the part that knows both engines, or starts one for a test."""
    return source.module.startswith(("wellio.db", "wellio.testing"))


def sql_names_own_tables(source: Source) -> Iterator[str]:
    """A plugin reads others through the views they publish, and writes only its own tables."""
    if source.is_plugin:
        nearby = "\n".join(text for _, text in texts(source))
        for line, text in texts(source):
            for name in foreign_tables(text, prefix_of(source.package), nearby):
                yield f"{line}: SQL names {name}"
        for line, named in table_names(source):
            if named is not None and not named.startswith(prefix_of(source.package)):
                yield f"{line}: a Table is {named}"


def table_names(source: Source) -> Iterator[tuple[int, str | None]]:
    """Return the name that each `Table(...)` is given: None where it is not written there."""
    if any("Table" in it.names and not it.module.startswith("wellio") for it in source.imports):
        return  # another library's
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Table":
            name = node.args[0] if node.args else None
            value = name.value if isinstance(name, ast.Constant) else None
            yield node.lineno, value if isinstance(value, str) else None


def operands(node: ast.expr) -> Iterator[ast.expr]:
    """Return what a chain of `+` joins."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from operands(node.left)
        yield from operands(node.right)
    else:
        yield node


def is_fixed_text(node: ast.expr) -> bool:
    """Return whether a part of a statement is written in the source.

    That is a literal, a constant, a policy's `Fragment`, or what a `Table` selects; `column` is
    what its caller wrote.
    """
    if isinstance(node, ast.Attribute):
        owner = ast.unparse(node.value).rpartition(".")[2]
        is_selection = node.attr == "select" and owner.isupper()
        return node.attr == "sql" or node.attr.isupper() or is_selection
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.Name) and (node.id.isupper() or node.id == "column")
    )


def says_sql(node: ast.expr) -> bool:
    """Return whether a literal holds SQL."""
    return isinstance(node, ast.Constant) and bool(SQL.search(str(node.value)))


def sql_is_fixed_text(source: Source) -> Iterator[str]:
    """Texts are fixed and values parameters: a statement is cached, and never injected."""
    if in_database_package(source):
        return
    inner = {id(node.left) for node in ast.walk(source.tree) if isinstance(node, ast.BinOp)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.JoinedStr) and any(map(says_sql, node.values)):
            yield f"{node.lineno}: SQL in an f-string"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and says_sql(node.left):
            yield f"{node.lineno}: SQL with %"
        elif isinstance(node, ast.Attribute) and node.attr == "format" and says_sql(node.value):
            yield f"{node.lineno}: SQL with format()"
        elif isinstance(node, ast.BinOp) and id(node) not in inner:
            parts = list(operands(node))
            if any(map(says_sql, parts)) and not all(map(is_fixed_text, parts)):
                yield f"{node.lineno}: SQL joined with what is not fixed text"
    for line, name in table_names(source):
        if name is None:
            yield f"{line}: a Table's name is no literal"


def nobody_asks_for_the_engine(source: Source) -> Iterator[str]:
    """What differs between the engines is in wellio/db, behind one interface."""
    if in_database_package(source):
        return
    for found in source.imports:
        if found.module.partition(".")[0] in DRIVERS:
            yield f"{found.line}: imports the driver {found.module}"
    for node in ast.walk(source.tree):
        asked: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            asked = [node.value]
        for value in asked:
            if isinstance(value, ast.Constant) and value.value in ENGINES:
                yield f"{value.lineno}: asks which engine it is"
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "isinstance"
            and re.search(r"Sqlite|Postgres", ast.unparse(node.args[1]), re.IGNORECASE)
        ):
            yield f"{node.lineno}: asks which engine it is"


def assembled(source: Source, node: ast.expr, depth: int = 0) -> str:
    """Return a statement as its parts make it; what is not written in the file is left out."""
    if depth > 9:
        return ""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.BinOp):
        parts = (node.left, node.right)
        return "".join(assembled(source, part, depth + 1) for part in parts)
    if isinstance(node, ast.Name):
        values = [
            it.value
            for it in ast.walk(source.tree)
            if isinstance(it, ast.Assign) and ast.unparse(it.targets[0]) == node.id
        ]
        return "".join(assembled(source, value, depth + 1) for value in values)
    return ""


def locks_of_several_rows_are_ordered(source: Source) -> Iterator[str]:
    """Two who lock the same rows in two orders wait for each other until one of them is ended."""
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"fetch_all", "execute"}
            and node.args
        ):
            sql = assembled(source, node.args[0])
            head, lock, _ = sql.partition("{for_update}")
            if lock and "ORDER BY" not in head:
                yield f"{node.lineno}: locks rows without ORDER BY"


RULES: Rules = {
    locks_of_several_rows_are_ordered: [
        (
            "plugins/wellio_chat/store.py",
            'A = "SELECT id FROM chat_a {for_update}"\nasync def f(tx): await tx.fetch_all(A)',
        ),
        (
            "plugins/wellio_chat/store.py",
            'def f(tx):\n    sql = B + "SELECT id {for_update}"\n    return tx.fetch_all(sql)',
        ),
    ],
    sql_names_own_tables: [
        ("plugins/wellio_chat/store.py", 'A = "SELECT id FROM wellio_event"'),
        ("plugins/wellio_chat/store.py", 'A = "SELECT 1 FROM chat_a JOIN auth_user u ON 1 = 1"'),
        ("plugins/wellio_chat/store.py", 'A = "UPDATE auth_user SET name = :name"'),
        (
            "plugins/wellio_chat/store.py",
            'A = "x" + " WHERE EXISTS (SELECT 1 FROM practice_client)"',
        ),
        (
            "plugins/wellio_chat/store.py",
            'A = "WITH a AS (SELECT 1 FROM chat_a) INSERT INTO auth_b SELECT * FROM a"',
        ),
        ("plugins/wellio_chat/store.py", 'A = Table("auth_user", User, order=("name",))'),
        ("plugins/wellio_chat/store.py", 'A = wellio.Table("auth_v_user", User, order=("name",))'),
        ("plugins/wellio_chat/store.py", 'A = A_TABLE.select + "JOIN auth_user u ON TRUE"'),
    ],
    sql_is_fixed_text: [
        ("plugins/wellio_chat/store.py", 'def f(a):\n    return f"SELECT {a} FROM chat_a"'),
        ("plugins/wellio_chat/store.py", 'def f(a):\n    return "SELECT 1 WHERE " + a + A'),
        ("plugins/wellio_chat/store.py", 'A = "SELECT 1 FROM %s" % a'),
        ("plugins/wellio_chat/store.py", 'A = "SELECT 1 FROM {}".format(a)'),
        ("wellio/events/outbox.py", 'A = f"x WHERE id = {A}"'),
        ("plugins/wellio_chat/store.py", "A = Table(CHAT_A, User, order=ORDER)"),
        ("plugins/wellio_chat/store.py", 'A = Table(f"chat_{a}", User, order=ORDER)'),
        ("plugins/wellio_chat/store.py", "A = Table(name=a, order=ORDER)"),
        ("plugins/wellio_chat/store.py", 'def f(a):\n    return a.select + "JOIN chat_b ON TRUE"'),
    ],
    nobody_asks_for_the_engine: [
        ("wellio/jobs/jobs.py", 'A = db.engine == "sqlite"'),
        ("wellio/jobs/jobs.py", 'match db.engine:\n    case "postgres":\n        pass'),
        ("plugins/wellio_chat/store.py", "A = isinstance(db, SqliteDatabase)"),
        ("plugins/wellio_chat/store.py", "def f():\n    import sqlite3"),
    ],
}
FINE = """
_A = '''WITH mine AS (SELECT 1 FROM chat_a) SELECT * FROM mine JOIN practice_v_client v ON TRUE
FROM {rows r (a text)} WHERE a IS DISTINCT FROM b -- FROM auth_user
ON CONFLICT (id) DO UPDATE SET a = excluded.a'''
_B = "WITH b AS (" + _A + ") SELECT 1 FROM b WHERE " + visible.sql + base.COLUMNS
CHATS = Table("chat_conversation", Conversation, order=("created_at",))
_C = CHATS.select + "JOIN chat_b b ON TRUE" + base.CHATS.select
"""


def named_properly(package: str, sql: str) -> Iterator[str]:
    """Tables and indexes begin with the plugin's name, views with `<plugin>_v_`."""
    for kind, name in CREATED.findall(sql):
        prefix = prefix_of(package) + ("v_" if kind == "VIEW" else "")
        if not re.fullmatch(rf"{prefix}[a-z][a-z0-9_]*", name):
            yield f"{kind.lower()} {name} is not named {prefix}<noun>"
        elif kind == "TABLE" and VIEW.fullmatch(name):
            yield f"table {name} is named as a view"


def migration_names_own_tables(package: str, sql: str) -> Iterator[str]:
    """A migration touches its own tables; its views may stand on those that others publish."""
    for name in foreign_tables(sql, prefix_of(package)):
        yield f"names {name}"


def foreign_keys_let_go(package: str, sql: str) -> Iterator[str]:
    """A key into another plugin points where `requires` points, and never blocks a removal."""
    init = init_of(package, CODE)
    friends = {prefix_of(friend) for friend in (init.friends if init else ())}
    for table, options in REFERENCE.findall(sql):
        if table.startswith(prefix_of(package)):
            continue
        if f"{table.partition('_')[0]}_" not in friends:
            yield f"references {table}, which it does not require"
        if not re.search(r"ON DELETE (CASCADE|SET NULL)", options):
            yield f"a key to {table} blocks whoever deletes there"


MIGRATION_RULES: dict[MigrationRule, list[str]] = {
    named_properly: [
        "CREATE TABLE client (id {text})",
        "CREATE TABLE practice_v_client (id {text})",
        "CREATE VIEW practice_client AS SELECT 1",
        "CREATE UNIQUE INDEX by_name ON practice_client (id)",
    ],
    migration_names_own_tables: [
        "CREATE VIEW practice_v_a AS SELECT id FROM auth_user",
        "DELETE FROM wellio_event",
    ],
    foreign_keys_let_go: [
        "id {text} REFERENCES chat_message (id) ON DELETE CASCADE",
        "id {text} REFERENCES auth_user (id), x {text} REFERENCES practice_tag (id)",
        "id {text} REFERENCES auth_user (id) ON DELETE RESTRICT",
    ],
}


def migration_breaches(rule: MigrationRule, path: Path) -> list[str]:
    """Return what breaks a rule in one file of SQL."""
    parts = path.relative_to(ROOT).parts
    package = next(part for part in parts if part.startswith("wellio") and part.isidentifier())
    sql = re.sub(r"--[^\n]*", "", path.read_text())
    return [f"{path.relative_to(ROOT)}: {breach}" for breach in rule(package, sql)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_repository_keeps_the_rule(rule: Rule) -> None:
    found = breaches(rule, CODE)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "rule, path, text", [(rule, *bad) for rule, samples in RULES.items() for bad in samples]
)
def test_the_rule_finds_a_breach(rule: Rule, path: str, text: str) -> None:
    assert len(breaches(rule, [sample(path, text)])) == 1


def test_what_is_allowed_is_no_breach() -> None:
    source = sample("plugins/wellio_chat/store.py", FINE)
    assert [breaches(rule, [source]) for rule in RULES] == [[]] * len(RULES)


def test_there_are_migrations() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MIGRATIONS} == {
        *("plugins", "wellio", "examples")
    }


@pytest.mark.parametrize("rule", MIGRATION_RULES, ids=lambda rule: rule.__name__)
def test_migrations_keep_the_rule(rule: MigrationRule) -> None:
    found = [breach for path in MIGRATIONS for breach in migration_breaches(rule, path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "rule, sql", [(rule, sql) for rule, samples in MIGRATION_RULES.items() for sql in samples]
)
def test_a_bad_migration_is_found(rule: MigrationRule, sql: str) -> None:
    assert len(list(rule("wellio_practice", sql))) == 1
