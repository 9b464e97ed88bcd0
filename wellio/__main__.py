"""`python -m wellio` is `wellio`."""

from .cli import main

main()
