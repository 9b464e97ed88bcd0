"""Who may do what: a table for each plugin, and all of them together.

A new endpoint or socket event gets its line in its plugin's table; without, the matrix is red.
"""

from tests.contract.rules.auth import AUTH
from tests.contract.rules.chat import CHAT
from tests.contract.rules.core import CORE
from tests.contract.rules.practice import PRACTICE

TABLES = (CORE, AUTH, PRACTICE, CHAT)
RULES = tuple(rule for table in TABLES for rule in table.rules)
PUBLIC = tuple(rule for table in TABLES for rule in table.public)
EVENTS = tuple(rule for table in TABLES for rule in table.events)

__all__ = ["EVENTS", "PUBLIC", "RULES", "TABLES"]
