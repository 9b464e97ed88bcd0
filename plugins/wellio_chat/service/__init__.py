"""The chat's use cases: check, transaction, publish, broadcast."""
