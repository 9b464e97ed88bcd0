"""Credentials: how often they may be tried, how passwords are kept, and which are proven."""
