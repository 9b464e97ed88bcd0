"""The audit log: who did what to what, in a chain that shows whether anybody changed it.

`Audit.record` writes a row in the transaction of its fact (`trail.py`). A sealer moves committed
rows into a chain of keyed hashes (`sealer.py`) whose head it signs and writes to a file outside the
database (`anchors.py`). `verification.py` walks all of it. The keys are in `keys.py`, the only SQL
in `store.py`; docs/audit.md says what the log proves and what it cannot.
"""

from .origin import ADDRESS, API_KEY
from .personal_data import AuditDetails
from .trail import Audit
from .verification import Break, Report

__all__ = ["ADDRESS", "API_KEY", "Audit", "AuditDetails", "Break", "Report"]
