"""Wellio: what a small coaching practice runs. This module is the plugin author's whole API."""
