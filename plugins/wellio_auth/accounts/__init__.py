"""Accounts: who there is, what they may change of themselves, and how an account ends."""
