"""The time by which proofs are made and judged: it never goes back.

A machine's clock does: by hand, by a battery that is empty, by a snapshot that is resumed. What had
expired would be good again, and an old refresh token would look like one of a moment ago. So this
time goes on from the latest instant that this installation signed or stored, at the pace of a
clock that nobody sets. While the machine's clock is ahead of that, the two are one.
"""

from wellio import Unavailable, Wellio, get_logger
from wellio_auth.sessions import store as session_store

_log = get_logger(__name__)


class Judge:
    """Tells the time to whatever ends: sessions, tokens, keys, links."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._clock = app.db, app.clock
        self._latest_ms, self._since_s = app.clock.now_ms(), app.clock.monotonic()

    async def load(self) -> None:
        """Go on from where the last process was, or another one is."""
        stored, now = await session_store.latest_time(self._db), self.now_ms()
        if stored > now:
            self._latest_ms, self._since_s = stored, self._clock.monotonic()
            _log.warning("the clock is behind what was stored", behind_ms=stored - now)

    def now_ms(self) -> int:
        """Return the time in milliseconds UTC: never less than before."""
        wall_ms, now_s = self._clock.now_ms(), self._clock.monotonic()
        judged_ms = self._latest_ms + int((now_s - self._since_s) * 1000)
        if wall_ms < judged_ms:
            return judged_ms
        self._latest_ms, self._since_s = wall_ms, now_s
        return wall_ms

    async def keep(self) -> None:
        """Store how far it is, for the next start."""
        try:
            await self._db.write(session_store.keep_time, self.now_ms())
        except Unavailable as error:  # it only helps; what was stored before still holds
            _log.warning("time of proofs not noted", code=error.code)
