"""What roles may do in conversations; an assistant has none of it."""

from wellio import Permission

_CHATTING = frozenset({"owner", "coach", "client"})
_STAFF = frozenset({"owner", "coach"})

PERMISSIONS = [
    Permission("chat.read", "Read one's own conversations.", _CHATTING),
    Permission("chat.send", "Write in one's own conversations.", _CHATTING),
    Permission("chat.manage_groups", "Make groups and say who is in them.", _STAFF),
]
