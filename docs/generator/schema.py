"""`docs/schema.md`: every table, view and index, as SQLite has it after all migrations."""

import re
import textwrap
from collections.abc import Collection, Mapping
from pathlib import Path

from docs.generator import text
from wellio import Wellio

_INTRODUCTION = """\
A table's name begins with its plugin's. SQL of another plugin may name only the read views, `<plugin>_v_<noun>`, which change only by new columns. Ids are UUIDv7 as text, `*_at` and `at` are milliseconds UTC. On Postgres the same tables stand with `BIGINT`, `TEXT COLLATE "C"`, `JSONB`, `BOOLEAN` and `BYTEA`. Who exports and erases what is about a person is in each plugin's `personal_data.py`."""  # noqa: E501 - a paragraph is a line
_ROOT = Path(__file__).parents[2]
#: What a column is called since; the comment beside its first name may not be true of it.
_RENAMED = re.compile(r"^ALTER TABLE (\w+) RENAME COLUMN \w+ TO (\w+);", re.MULTILINE)
_ALL = """
SELECT type, name, tbl_name, sql FROM sqlite_master
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, type DESC, name
"""


async def page(app: Wellio) -> str:
    """Return the page."""
    rows = await app.db.fetch_all(_ALL)
    owners = ["wellio", *(entry.name for entry in app.hooks.plugins.loaded)]
    parts, renamed = [], _renamed()
    for owner in owners:
        own = [row for row in rows if _belongs(row["tbl_name"], owner)]
        if own:
            parts.append(f"## {owner}\n")
        for name in dict.fromkeys(row["tbl_name"] for row in own):
            statements = [
                _tidy(_true(row["sql"], renamed.get(name, ())))
                for row in own
                if row["tbl_name"] == name
            ]
            parts.append(f"### `{name}`\n\n```sql\n" + "\n".join(statements) + "\n```\n")
    return text.page("Tables", _INTRODUCTION, *parts)


def _renamed() -> Mapping[str, Collection[str]]:
    """Return the columns of each table that a later migration renamed."""
    found: dict[str, set[str]] = {}
    for path in (*_ROOT.glob("wellio/**/*.sql"), *_ROOT.glob("plugins/**/*.sql")):
        for table, column in _RENAMED.findall(path.read_text()):
            found.setdefault(table, set()).add(column)
    return found


def _true(sql: str, renamed: Collection[str]) -> str:
    """Return a statement without the comments beside columns that were renamed."""
    for column in renamed:
        sql = re.sub(rf"^( *{column} [^\n]*?,?) *--[^\n]*$", r"\1", sql, flags=re.MULTILINE)
    return sql


def _belongs(table: str, owner: str) -> bool:
    return table.startswith(f"{owner}_")


def _tidy(sql: str) -> str:
    return re.sub(r"[ \t]+$", "", textwrap.dedent(sql), flags=re.MULTILINE) + ";"
