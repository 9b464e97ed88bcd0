"""`docs/permissions.md`: what each role may do."""

from docs.generator import text
from wellio import Permission, Wellio

_ROLES = ("owner", "coach", "assistant", "client")
_INTRODUCTION = """\
A permission says what a role may do at all. With which client or conversation is for the object's policy to say: whoever may not know of an object gets a 404, as if it did not exist; a 403 is for what the role lacks on an object that it may see. An API key holds the permissions that it was given and its maker still has, out of those that are marked."""  # noqa: E501 - a paragraph is a line


def page(app: Wellio) -> str:
    """Return the page."""
    found: list[Permission] = app.hooks.of("register_permissions")
    rows = [
        (
            f"`{one.name}`",
            one.description,
            *("yes" if role in one.roles else "" for role in _ROLES),
            "yes" if one.for_keys else "",
        )
        for one in sorted(found, key=lambda one: one.name)
    ]
    head = ("Permission", "", *_ROLES, "API keys")
    return text.page("Permissions", _INTRODUCTION, text.table(head, rows))
