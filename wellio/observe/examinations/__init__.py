"""Examinations: what an operator believes of the machine, the settings and the data, looked at.

There is one list (`listing.py`), which three ask: the start, which logs what is not well and stops
where it must; `/health`, for what can be looked at at any time; and `wellio doctor`, which takes
its time and says what to do. An examination is a name and a function (`examination.py`); the
other modules are called by what they look at. Those of the database are with it, in `wellio/db/`.
What nobody can act on is none.
"""
