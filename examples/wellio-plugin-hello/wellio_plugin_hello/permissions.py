"""What roles may do with wins; with whose is the rule of the client's own policy."""

from wellio import Permission

_PEOPLE = frozenset({"owner", "coach", "client"})

PERMISSIONS = [
    Permission("hello.read", "Read the wins of clients that one may see.", _PEOPLE),
    Permission("hello.note", "Note wins, and take back one's own.", _PEOPLE),
]
