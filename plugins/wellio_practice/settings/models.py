"""The practice's settings on the wire."""

from wellio import Currency, Locale, Name, TimeZone, Wire


class Practice(Wire):
    """The practice as everybody in it sees it."""

    name: Name
    time_zone: TimeZone
    currency: Currency
    locale: Locale


class PracticeChange(Wire):
    """A change of some of its settings."""

    name: Name | None = None
    time_zone: TimeZone | None = None
    currency: Currency | None = None
    locale: Locale | None = None


DEFAULTS = Practice(name="My practice", time_zone="UTC", currency="EUR", locale="en")
