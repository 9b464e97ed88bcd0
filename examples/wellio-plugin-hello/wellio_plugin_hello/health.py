"""What `/health/hello` looks at."""

from wellio import Wellio

from . import store

_PATIENCE_MS = 60_000


class TallyCheck:
    """Whether the tally knows of every client's wins."""

    name = "tally"

    def __init__(self, app: Wellio) -> None:
        self._db, self._clock = app.db, app.clock

    async def check(self) -> str | None:
        """Say how many clients were not counted for a minute."""
        missing = await store.uncounted(self._db, self._clock.now_ms() - _PATIENCE_MS)
        return f"the wins of {missing} clients are not counted" if missing else None
