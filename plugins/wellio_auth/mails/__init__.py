"""Mails: what this plugin writes to people, and when."""
