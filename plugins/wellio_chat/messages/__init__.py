"""Messages: sent once, numbered without gaps, read page by page, caught up with."""
