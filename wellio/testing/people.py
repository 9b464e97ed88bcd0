"""Which tables know people, by the schema itself, and who answers for them."""

from wellio.boot.app import Wellio
from wellio.db.base import Database

#: What a person's data hangs on.
PEOPLE = {"auth_user", "practice_client"}
#: What a column that holds a person's id is called, where no foreign key says so.
PERSONAL_COLUMNS = {
    *("user_id", "client_id", "coach_id", "owner_id", "member_id", "actor_id"),
    *("sender_id", "author_id", "created_by", "updated_by", "invited_by", "redeemed_by"),
}
#: Where the core keeps ids alone, which lead to nobody once the account is gone.
IDS_ALONE = {
    *("wellio_event", "wellio_parked", "wellio_job"),
    *("wellio_audit", "wellio_audit_pending"),
}

_COLUMNS = {
    "sqlite": """
SELECT m.name AS table_name, c.name AS column_name
FROM sqlite_master m, pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!'
""",
    "postgres": """
SELECT c.table_name, c.column_name
FROM information_schema.columns c
JOIN information_schema.tables t ON (t.table_schema, t.table_name) = (c.table_schema, c.table_name)
WHERE t.table_type = 'BASE TABLE' AND t.table_schema = 'public'
""",
}
_REFERENCES = {
    "sqlite": """
SELECT m.name AS table_name, f."table" AS target
FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
""",
    "postgres": """
SELECT c.table_name, u.table_name AS target
FROM information_schema.table_constraints c
JOIN information_schema.constraint_column_usage u ON u.constraint_name = c.constraint_name
WHERE c.constraint_type = 'FOREIGN KEY'
""",
}


async def columns(db: Database) -> dict[str, set[str]]:
    """Return every table's columns."""
    found: dict[str, set[str]] = {}
    for row in await db.fetch_all(_COLUMNS[db.engine]):
        found.setdefault(row["table_name"], set()).add(row["column_name"])
    return found


async def tables_about_people(db: Database) -> set[str]:
    """Return the tables that refer to people, by foreign key or by a column's name."""
    references = await db.fetch_all(_REFERENCES[db.engine])
    by_key = {row["table_name"] for row in references if row["target"] in PEOPLE}
    by_name = {name for name, has in (await columns(db)).items() if has & PERSONAL_COLUMNS}
    return PEOPLE | by_key | by_name


async def unanswered(app: Wellio) -> set[str]:
    """Return the tables about people that no `PersonalData` of any plugin names."""
    answered = {table for item in app.hooks.of("register_personal_data") for table in item.tables}
    return await tables_about_people(app.db) - answered - IDS_ALONE
