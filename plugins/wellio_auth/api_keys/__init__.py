"""API keys: what programs come with in the name of somebody of the staff, and how it ends."""
