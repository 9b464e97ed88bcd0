"""Tags: the practice's own labels for clients."""
