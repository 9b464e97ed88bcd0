"""Who may do what: the permissions of each role, and for each kind of object one policy.

The policy of a kind stands in the plugin that owns the kind.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from wellio.errors import Forbidden, NotFound, PluginError

from .actor import Actor, Permission


class Access(IntEnum):
    """What a policy answers. `HIDDEN` becomes a 404, `VISIBLE` a 403."""

    HIDDEN = 0
    VISIBLE = 1
    ALLOWED = 2


@dataclass(frozen=True, slots=True)
class Fragment:
    """A condition for a WHERE, and the parameters that it names."""

    sql: str
    params: dict[str, Any]


class Policy(Protocol):
    """The rules of one kind of object."""

    @property
    def kind(self) -> str:
        """Return the kind's name, such as `client` or `conversation`."""

    async def may(self, actor: Actor, action: str, object_id: str) -> Access:
        """Say what an actor may do with an object; one that does not exist is HIDDEN."""

    def visible_sql(self, actor: Actor, column: str) -> Fragment:
        """Return the condition by which a list shows only what the actor may see.

        Args:
            actor: Who asks.
            column: The SQL column that holds the object's id.
        """


class Policies:
    """What each role may do at all, and the policies of an app by kind.

    Attributes:
        permissions: The names of all permissions.
        scopes: Those of them that an API key may hold too.
    """

    def __init__(self) -> None:
        self.permissions: frozenset[str] = frozenset()
        self.scopes: frozenset[str] = frozenset()
        self._roles: dict[str, frozenset[str]] = {}
        self._policies: dict[str, Policy] = {}

    def allow(self, *permissions: Permission) -> None:
        """Take in permissions.

        Raises:
            PluginError: Two have one name.
        """
        for permission in permissions:
            name = permission.name
            if name in self.permissions:
                raise PluginError(f"permission {name} is registered twice")
            self.permissions |= {name}
            if permission.for_keys:
                self.scopes |= {name}
            for role in permission.roles:
                self._roles[role] = self.permissions_of(role) | {name}

    def permissions_of(self, role: str) -> frozenset[str]:
        """Return the names of what a role may do; an unknown one may do nothing."""
        return self._roles.get(role, frozenset())

    def add(self, *policies: Policy) -> None:
        """Take in policies.

        Raises:
            PluginError: A kind has one already.
        """
        for policy in policies:
            if policy.kind in self._policies:
                raise PluginError(f"two policies are registered for the kind {policy.kind}")
            self._policies[policy.kind] = policy

    def get(self, kind: str) -> Policy:
        """Return the policy of a kind; an unknown kind is a mistake of the program."""
        return self._policies[kind]

    def __contains__(self, kind: str) -> bool:
        return kind in self._policies

    async def check(self, actor: Actor, action: str, kind: str, object_id: str) -> None:
        """Let an action pass, or refuse it by one rule.

        Raises:
            NotFound: The object is not there, or the actor may not know of it.
            Forbidden: The actor may see it but not do this.
        """
        access = await self.get(kind).may(actor, action, object_id)
        if access is Access.HIDDEN:
            raise NotFound
        if access is Access.VISIBLE:
            raise Forbidden
