"""Conversations: who talks with whom, and the log of what happened there."""
