"""What roles may do with accounts and invitations."""

from wellio import Permission

READ_USERS = "users.read"
MANAGE_USERS = "users.manage"
CREATE_INVITATIONS = "invitations.create"
MANAGE_INVITATIONS = "invitations.manage"

_OWNER = frozenset({"owner"})

PERMISSIONS = (
    Permission(READ_USERS, "See every account.", _OWNER),
    Permission(MANAGE_USERS, "Rename, disable and re-enable accounts, change roles.", _OWNER),
    Permission(CREATE_INVITATIONS, "Invite clients of one's own.", frozenset({"owner", "coach"})),
    Permission(MANAGE_INVITATIONS, "Invite anybody; see and revoke all invitations.", _OWNER),
)
