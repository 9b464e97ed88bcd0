"""The client records of the demo practice, and how its clients fare."""
