"""Access: who acts, what their role lets them do, which objects they may touch, and how often.

`actor.py` has people and permissions, `policy.py` the rules of each kind of object, `limits.py` the
budgets of what may be done only so often.
"""
