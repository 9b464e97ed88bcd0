"""What a database holds, by its own word: tables and columns, what refers to what, and the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from .base import Database, Row

_COLUMNS: Final = {
    "sqlite": """
SELECT m.name AS table_name, c.name AS column_name
FROM sqlite_master m, pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!'
""",
    "postgres": """
SELECT c.relname AS table_name, a.attname AS column_name
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
""",
}
_REFERENCES: Final = {
    "sqlite": """
SELECT m.name AS table_name, f."from" AS column_name, f."table" AS target,
    f.on_delete AS on_delete, c."notnull" AS is_required
FROM sqlite_master m, pragma_foreign_key_list(m.name) f, pragma_table_info(m.name) c
WHERE m.type = 'table' AND c.name = f."from"
""",
    "postgres": """
SELECT c.relname AS table_name, a.attname AS column_name, t.relname AS target,
    CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'NO ACTION' END
        AS on_delete,
    a.attnotnull AS is_required
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_class t ON t.oid = k.confrelid
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
WHERE k.contype = 'f' AND c.relnamespace = current_schema()::regnamespace
""",
}
_PARTS: Final = {
    "sqlite": """
SELECT type AS kind, name, tbl_name AS table_name, coalesce(sql, '') AS definition
FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'
""",
    "postgres": """
SELECT 'table' AS kind, c.relname AS name, c.relname AS table_name, c.relkind::text AS definition
FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'column', a.attname, c.relname,
    concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
        pg_get_expr(d.adbin, d.adrelid))
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'constraint', k.conname, c.relname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'index', indexname, tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()
UNION ALL
SELECT 'trigger', g.tgname, c.relname, pg_get_triggerdef(g.oid)
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT g.tgisinternal
UNION ALL
SELECT 'view', viewname, viewname, definition FROM pg_views WHERE schemaname = current_schema()
""",
}


class _Reader(Protocol):
    """A database or a transaction."""

    async def fetch_all(self, sql: str) -> list[Row]:
        """Return all rows."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key, by one of its columns.

    Attributes:
        table: Whose it is.
        column: What holds it.
        target: The table to which it leads, which SQLite does not ask to be there.
        on_delete: `CASCADE`, `SET NULL`, or what refuses the removal.
        is_required: Whether the column is NOT NULL.
    """

    table: str
    column: str
    target: str
    on_delete: str
    is_required: bool

    @property
    def is_in_the_way(self) -> bool:
        """Tell whether it keeps the row to which it leads from being deleted."""
        return self.on_delete != "CASCADE" and (self.on_delete != "SET NULL" or self.is_required)


async def columns(db: Database) -> dict[str, set[str]]:
    """Return every table's columns."""
    found: dict[str, set[str]] = {}
    for row in await db.fetch_all(_COLUMNS[db.engine]):
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    return found


async def references(reader: _Reader, engine: str) -> list[Reference]:
    """Return every foreign key."""
    return [
        Reference(
            row["table_name"],
            row["column_name"],
            row["target"],
            row["on_delete"],
            bool(row["is_required"]),
        )
        for row in await reader.fetch_all(_REFERENCES[engine])
    ]


async def parts(reader: _Reader, engine: str) -> Mapping[tuple[str, str, str], str]:
    """Return how everything is defined, by kind, table and name, to be held against a later look.

    A change of a table, its columns, constraints, indexes or triggers, or of a view shows in it.
    """
    return {
        (row["kind"], row["table_name"], row["name"]): row["definition"]
        for row in await reader.fetch_all(_PARTS[engine])
    }
