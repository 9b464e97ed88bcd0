"""Gives accounts a key to sort by, and compares the domains of their addresses by IDNA."""

from wellio import Tx, address_key, sort_key

_READ = "SELECT id, name, email FROM auth_user WHERE erased_at IS NULL"
_KEY = "UPDATE auth_user SET name_key = :name_key, email_ci = :email_ci WHERE id = :id"


async def migrate(tx: Tx) -> None:
    """Add `name_key`, base letters; `email_ci` stays what may be there once."""
    await tx.execute("ALTER TABLE auth_user ADD COLUMN name_key {text}")
    await tx.execute("DROP INDEX auth_user_name")
    await tx.execute(
        "CREATE INDEX auth_user_name ON auth_user (name_key, id) WHERE erased_at IS NULL"
    )
    for row in await tx.fetch_all(_READ):
        keys = {"name_key": sort_key(row["name"]), "email_ci": address_key(row["email"])}
        await tx.execute(_KEY, id=row["id"], **keys)
