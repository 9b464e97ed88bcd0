"""How fast Wellio is, beside others that do the same work: `make bench`, and README.md here."""
