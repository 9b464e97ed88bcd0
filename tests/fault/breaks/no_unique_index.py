"""Nothing makes a localId unique: neither the index nor the look-up before it."""

from dataclasses import replace
from typing import Any

from tests.fault.patching import edit, wrap
from wellio.db.migrate import Source

_INDEX = "CREATE UNIQUE INDEX chat_message_key"
_PLAIN = "CREATE INDEX chat_message_key"


def apply() -> None:
    """Break both engines."""
    from wellio_chat.messages import append

    wrap(Source, "migrations", _without_index)
    edit(append, "_KNOWN", "m.local_key = k.local_key", "1 = 0")


def _without_index(migrations: Any) -> Any:
    def edited(source: Source, engine: str) -> Any:
        found = migrations(source, engine)
        if source.plugin == "chat":
            assert any(_INDEX in migration.text for migration in found)
        return [replace(m, text=m.text.replace(_INDEX, _PLAIN)) for m in found]

    return edited
