"""The timeline: what happened to a client, newest first, as far as any plugin knows of it."""
