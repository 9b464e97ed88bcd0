"""Login sessions: how they begin, go on and end, and who sends a request by one."""
