"""What stands at the head of every mail: whose practice it comes from."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from wellio.wire import time_zones


@dataclass(frozen=True, slots=True)
class Letterhead:
    """The practice, as its mails present it.

    Attributes:
        name: Its name.
        time_zone: The IANA name of the zone in which its mails write times.
    """

    name: str
    time_zone: str

    def time(self, at_ms: int) -> str:
        """Write an instant, in milliseconds UTC: `3 December 2026, 10:15 (Europe/Berlin)`.

        A zone that is stored and is none here does not hold the mail back.
        """
        name = self.time_zone if self.time_zone in time_zones() else "UTC"
        at = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(name))
        return f"{at.day} {at:%B %Y, %H:%M} ({name})"


#: Until a plugin knows the practice.
NOBODYS = Letterhead("Wellio", "UTC")
