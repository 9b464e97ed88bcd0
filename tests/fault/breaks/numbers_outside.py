"""`seq` is counted in a file of its own: a number is used up before its message is committed."""

import json
from pathlib import Path
from typing import Any

from tests.fault.patching import slow_commits, wrap


def apply() -> None:
    """Break both engines."""
    from wellio_chat.messages.batch import Batch

    slow_commits()
    wrap(Batch, "_accept", _counting)


def _counting(accept: Any) -> Any:
    def counting(batch: Any, n: int, draft: Any, marks: Any) -> None:
        head = batch.heads[draft.conversation_id]
        head.last_seq = _next(head.id, head.last_seq) - 1  # `accept` adds the one
        accept(batch, n, draft, marks)

    return counting


def _next(conversation_id: str, last: int) -> int:
    path = Path("counters", conversation_id)
    number: int = json.loads(path.read_text()) if path.exists() else last
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(number + 1))
    return number + 1
