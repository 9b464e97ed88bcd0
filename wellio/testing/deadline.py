"""How long a test waits for what should happen at once."""

from typing import Final

#: Seconds. It ends a test that would wait for ever, and measures nothing: a busy machine may take
#: many times as long as an idle one.
DEADLINE_S: Final = 60.0
