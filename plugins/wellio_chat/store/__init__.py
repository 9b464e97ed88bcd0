"""All SQL of the chat: the ledger (numbers and the log), the append, and what is read."""
