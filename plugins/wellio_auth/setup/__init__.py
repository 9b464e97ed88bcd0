"""Set-up: the first account, and those that the server makes on its own authority."""
