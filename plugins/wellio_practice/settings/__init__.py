"""The practice itself: its name, time zone, currency and language."""
