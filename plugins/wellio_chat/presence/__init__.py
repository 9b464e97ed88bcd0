"""Presence: who is there, and who types."""
