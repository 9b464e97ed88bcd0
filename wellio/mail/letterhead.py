"""What stands at the head of every mail: whose practice it comes from."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


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
        """Write an instant, in milliseconds UTC: `3 December 2026, 10:15 (Europe/Berlin)`."""
        at = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(self.time_zone))
        return f"{at.day} {at:%B %Y, %H:%M} ({self.time_zone})"


#: Until a plugin knows the practice.
NOBODYS = Letterhead("Wellio", "UTC")
