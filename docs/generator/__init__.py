"""Writes the pages of `docs/` that say what the code says: `make docs`.

A test makes them again and compares, so that none can be out of date.
"""
