"""What the audit log keeps about somebody that can be handed out and taken away."""

from typing import Any, ClassVar

import orjson

from wellio.db.base import Tx

from .trail import Audit


class AuditDetails:
    """The personal details of rows; the rows themselves hold ids alone and stay."""

    tables: ClassVar[tuple[str, ...]] = ("wellio_audit_detail",)

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    async def export(self, user_id: str) -> dict[str, list[dict[str, Any]]]:
        """Return the details about a person, each with what it belongs to."""
        rows = [
            {
                "id": row["audit_id"],
                "at": row["at"],
                "action": row["action"],
                "details": orjson.loads(row["details"]),
            }
            for row in await self._audit.details_of(user_id)
        ]
        return {"wellio_audit_detail": rows}

    async def erase(self, tx: Tx, user_id: str) -> None:
        """Delete the details about a person."""
        await self._audit.erase_details(tx, user_id)
