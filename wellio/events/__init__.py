"""Events: what happened, told to whoever listens.

`bus.py` is what plugins use, `outbox.py` the log that every event is written to, `subscriber.py`
whoever follows that log durably.
"""
