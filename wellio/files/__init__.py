"""Files: bytes that plugins keep beside the database (`storage.py`)."""
