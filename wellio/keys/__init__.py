"""Keys: where they lie, what they open, and how they are changed.

`ring.py` has the master keys, `root.py` the key that others are derived from, `people.py` one key
for each person, `rotation.py` makes new ones. docs/security.md tells it to whoever runs a practice.
"""
