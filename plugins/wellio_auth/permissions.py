"""What roles may do with accounts and invitations."""

from wellio import Permission

READ_USERS = "users.read"
MANAGE_USERS = "users.manage"
CREATE_INVITATIONS = "invitations.create"
MANAGE_INVITATIONS = "invitations.manage"
CREATE_API_KEYS = "api_keys.create"
MANAGE_API_KEYS = "api_keys.manage"

_OWNER = frozenset({"owner"})
_INVITERS = frozenset({"owner", "coach"})
_STAFF = frozenset({"owner", "coach", "assistant"})


def _for_people(name: str, description: str, roles: frozenset[str]) -> Permission:
    """Return a permission that no API key may hold: it leads to more accounts or more keys."""
    return Permission(name, description, roles, for_keys=False)


PERMISSIONS = (
    Permission(READ_USERS, "See every account.", _OWNER),
    _for_people(MANAGE_USERS, "Rename, disable and re-enable accounts, change roles.", _OWNER),
    _for_people(CREATE_INVITATIONS, "Invite clients of one's own.", _INVITERS),
    _for_people(MANAGE_INVITATIONS, "Invite anybody; see and revoke all invitations.", _OWNER),
    _for_people(CREATE_API_KEYS, "Make and revoke API keys of one's own.", _STAFF),
    _for_people(MANAGE_API_KEYS, "See and revoke everybody's API keys.", _OWNER),
)
