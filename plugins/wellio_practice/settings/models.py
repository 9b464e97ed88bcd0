"""The practice's settings."""

from wellio import ABSENT, Currency, Locale, Name, TimeZone, Wire


class Practice(Wire):
    """The practice as everybody in it sees it."""

    name: Name
    time_zone: TimeZone
    currency: Currency
    locale: Locale


class PracticeChange(Wire):
    """A change of some of its settings."""

    name: Name = ABSENT
    time_zone: TimeZone = ABSENT
    currency: Currency = ABSENT
    locale: Locale = ABSENT


DEFAULTS = Practice(name="My practice", time_zone="UTC", currency="EUR", locale="en")
