"""`python -m wellio` is `wellio`."""

from wellio.cli import main

main()
