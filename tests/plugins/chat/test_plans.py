"""Every statement of the chat finds its rows by an index, on both engines."""

from collections.abc import Iterator
from typing import Any

import pytest
from wellio_chat.conversations import ledger, people, personal
from wellio_chat.conversations import store as conversations
from wellio_chat.messages import append, log
from wellio_chat.messages import store as messages

from tests.plugins.chat.conftest import Practice
from wellio.db.dialect import COMMIT_NUMBER, SQLITE
from wellio.testing.engines import explain

ROOMS = [append, conversations, ledger, log, messages, people, personal]
NUMBERS = {
    "active_at", "after", "at", "before", "event_seq", "limit", "position", "seq", "xid",
    "delivered_seq", "read_seq", "uncounted",
}  # fmt: skip
VERBS = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")


def statements() -> Iterator[tuple[str, str]]:
    """Return each statement with its name, without the parts of which others are made."""
    for room in ROOMS:
        texts = {name: text for name, text in vars(room).items() if isinstance(text, str)}
        for name, text in texts.items():
            is_part = any(text in other and text != other for other in texts.values())
            is_plain = "{values" in text  # it looks for nothing
            if name.isupper() and text.strip().startswith(VERBS) and not (is_part or is_plain):
                yield f"{room.__name__}.{name}", text


def values(sql: str) -> dict[str, Any]:
    """Return something for each parameter."""
    statement = SQLITE.statement(sql)
    lists: dict[str, Any] = {name: ["a"] if name == "ids" else [{}] for name in statement.as_json}
    names = set(statement.names) - {COMMIT_NUMBER}  # which the transaction gives itself
    return {name: lists.get(name, 1 if name in NUMBERS else "a") for name in names}


async def test_every_statement_uses_an_index(practice: Practice, subtests: pytest.Subtests) -> None:
    seen = 0
    for name, sql in statements():
        with subtests.test(name):
            plan = await explain(practice.app.app.db, sql, **values(sql))
            steps = [line.strip() for line in plan.splitlines()]
            whole = ("SCAN chat_", "Seq Scan on chat_", "->  Seq Scan on chat_")
            assert not [step for step in steps if step.startswith(whole)], plan
            short = tuple(f"SCAN {alias}" for alias in ("c", "e", "m", "me", "n", "o", "u"))
            assert not [step for step in steps if step in short], plan
        seen += 1
    assert seen > 25
