"""Whose a table is, and what a plugin's migrations may do: to its own tables all, to others none.

A plugin that could change another's table would be found out by the next version of that plugin,
and one whose keys stand in the way of a removal by an erasure. So both are refused while they run.
"""

from collections.abc import Collection, Iterator, Mapping

from wellio.errors import DatabaseError

from .catalogue import Reference

Parts = Mapping[tuple[str, str, str], str]


def owner_of(table: str, plugins: Collection[str]) -> str | None:
    """Return whose a table is: its name begins with the plugin's, and `sleep_diary` is not `sleep`.

    Args:
        table: Its name.
        plugins: All that there are, `wellio` for the core.
    """
    fitting = [name for name in plugins if table.startswith(f"{name}_")]
    return max(fitting, key=len, default=None)


def refuse_trespass(plugin: str, plugins: Collection[str], before: Parts, after: Parts) -> None:
    """Refuse what a plugin's migrations did to tables that are not its own.

    Raises:
        DatabaseError: It names the tables.
    """
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    made = {table for _, table, _ in after} - {table for _, table, _ in before}
    wrong = set()
    for table in {table for _, table, _ in changed}:
        owner = owner_of(table, plugins)
        if owner == plugin:
            continue
        if table in made:
            wrong.add(f"it makes {table}, whose name has to begin with {plugin}_")
        else:
            wrong.add(f"it changes {table}, which is {owner or 'nobody'}'s")
    if wrong:
        raise DatabaseError("; ".join(sorted(wrong)))


def refuse_hindrance(plugin: str, plugins: Collection[str], keys: Collection[Reference]) -> None:
    """Refuse foreign keys of a plugin's tables that stand in the way of others.

    Raises:
        DatabaseError: It names them.
    """
    if wrong := [*hindrances(plugin, plugins, keys)]:
        raise DatabaseError("; ".join(wrong))


def hindrances(plugin: str, plugins: Collection[str], keys: Collection[Reference]) -> Iterator[str]:
    """Find the foreign keys of a plugin's tables that keep others from deleting their rows."""
    for key in sorted(keys, key=lambda it: (it.table, it.column)):
        if owner_of(key.table, plugins) != plugin or owner_of(key.target, plugins) == plugin:
            continue
        if key.is_in_the_way:
            yield (
                f"{key.table}.{key.column} refers to {key.target} and keeps it from being deleted"
                " without ON DELETE CASCADE, or SET NULL where it may be null"
            )
