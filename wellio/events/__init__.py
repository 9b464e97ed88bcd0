"""Events: what happened, told to whoever listens.

`event.py` is what they are, `bus.py` what plugins use, `outbox.py` the log that every event is
written to, `subscriber.py` whoever follows that log durably.
"""
