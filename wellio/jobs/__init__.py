"""Jobs: work that leaves the box or takes long, and what runs by the clock.

`jobs.py` runs them, `store.py` has their rows, `schedules.py` what is due when; `worker.py` is the
loop that all background work runs in, and `retry.py` says how long a failure waits.
"""
