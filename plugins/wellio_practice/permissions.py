"""What roles may do in the practice; what they may do with one client stands in its policy."""

from wellio import Permission

PERMISSIONS = [
    Permission(
        "clients.read",
        "See clients and the practice's tags.",
        frozenset({"owner", "coach", "assistant"}),
    ),
    Permission(
        "clients.manage", "Make client records and keep tags.", frozenset({"owner", "coach"})
    ),
    Permission("practice.manage", "Change the practice's settings.", frozenset({"owner"})),
]
