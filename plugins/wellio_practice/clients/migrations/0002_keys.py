"""Makes anew what client records are found by: base letters, and addresses with IDNA's domains."""

from wellio import Tx, address_key, sort_key

_READ = "SELECT id, name, email FROM practice_client WHERE erased_at IS NULL"
_KEY = """
UPDATE practice_client SET name_ci = :name_ci, email_ci = :email_ci, email_key = :email_key
WHERE id = :id
"""


async def migrate(tx: Tx) -> None:
    """`name_ci` is what names are sorted and found by, `email_key` what addresses are found by."""
    await tx.execute("ALTER TABLE practice_client ADD COLUMN email_key {text}")
    for row in await tx.fetch_all(_READ):
        email = row["email"]
        await tx.execute(
            _KEY,
            id=row["id"],
            name_ci=sort_key(row["name"]),
            email_ci=None if email is None else address_key(email),
            email_key=None if email is None else sort_key(email),
        )
