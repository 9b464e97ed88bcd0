"""Compares the domains of the addresses that were invited by IDNA."""

from wellio import Tx, address_key


async def migrate(tx: Tx) -> None:
    """Make `email_ci` anew."""
    for row in await tx.fetch_all("SELECT id, email FROM auth_invitation"):
        await tx.execute(
            "UPDATE auth_invitation SET email_ci = :key WHERE id = :id",
            id=row["id"],
            key=address_key(row["email"]),
        )
