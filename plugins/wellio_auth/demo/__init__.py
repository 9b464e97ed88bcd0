"""The people of the demo practice, and their accounts."""
