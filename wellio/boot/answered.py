"""Which tables know people, by the schema itself, and who answers for them.

A table about a person that no `PersonalData` names is in no export, and outlives an erasure. So a
plugin with one does not start; whoever installs it cannot be asked to run its tests first.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from wellio.db.base import Database
from wellio.db.catalogue import columns, references
from wellio.db.ownership import owner_of
from wellio.errors import PluginError

from .plugin import BrokenPluginError

if TYPE_CHECKING:
    from .app import Wellio

#: What a person's data hangs on.
PEOPLE: Final = frozenset({"auth_user", "practice_client"})
_ROLES: Final = (
    "user|client|coach|owner|member|actor|sender|author|person|people|patient|account|contact"
    "|recipient|participant|assistant|staff|writer|reader|invitee|customer|athlete|employee"
)
#: What a column is called that holds a person, where no foreign key says so.
PERSONAL: Final = re.compile(
    rf"(.*_)?({_ROLES})(_id|_email|_name)?|.*_by|(.*_)?(email|phone)|(first|last|full)_name"
    r"|birth(day|date|_date)|date_of_birth"
)
#: Where the core keeps ids alone, which lead to nobody once the account is gone.
IDS_ALONE: Final = frozenset(
    {"wellio_event", "wellio_parked", "wellio_job", "wellio_audit", "wellio_audit_pending"}
)


async def tables_about_people(db: Database) -> Mapping[str, str]:
    """Return the tables that know people, each with what tells so.

    By a foreign key to a person, or to a table that has one, as an answer to a person's note has;
    or by what a column is called.
    """
    found: dict[str, str] = {}
    for table, names in (await columns(db)).items():
        if table in PEOPLE:
            found[table] = "people themselves"
        if named := sorted(name for name in names if PERSONAL.fullmatch(name)):
            found.setdefault(table, f"its column {named[0]}")
    keys = await references(db, db.engine)
    while more := {it.table: it for it in keys if it.target in found and it.table not in found}:
        found |= {
            table: f"its column {it.column}, a key to {it.target}" for table, it in more.items()
        }
    return found


async def unanswered(app: "Wellio") -> Mapping[str, str]:
    """Return the tables about people that no `PersonalData` of any plugin names, and why."""
    answered = {table for item in app.hooks.of("register_personal_data") for table in item.tables}
    found = await tables_about_people(app.db)
    return {table: why for table, why in found.items() if table not in answered | IDS_ALONE}


async def refuse_unanswered(app: "Wellio") -> None:
    """Refuse a plugin with a table about people that nobody answers for.

    Raises:
        BrokenPluginError: There is one; it names the tables.
    """
    plugins = app.hooks.plugins
    names = {*plugins.leftover, *(entry.name for entry in plugins.loaded)}
    whose: dict[str, list[str]] = {}
    for table, why in sorted((await unanswered(app)).items()):
        whose.setdefault(owner_of(table, names) or "", []).append(f"{table} ({why})")
    for entry in plugins.loaded:
        if tables := whose.get(entry.name):
            reason = f"nobody exports and erases what is about people in {', '.join(tables)}"
            raise BrokenPluginError(entry, "register_personal_data", PluginError(reason))
