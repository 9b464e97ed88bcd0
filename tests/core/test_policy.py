"""One rule turns what a policy says into an answer."""

from dataclasses import dataclass

import pytest

from wellio import Access, Actor, Forbidden, Fragment, NotFound, Permission, PluginError, Policies

ACTOR = Actor("someone", "coach", None, frozenset({"notes.read"}))


@dataclass
class Rule:
    """A policy with one answer for everything."""

    kind: str
    access: Access

    async def may(self, actor: Actor, action: str, object_id: str) -> Access:
        return self.access

    def visible_sql(self, actor: Actor, column: str) -> Fragment:
        return Fragment("TRUE", {})


async def test_hidden_is_missing_and_visible_is_forbidden() -> None:
    policies = Policies()
    policies.add(Rule("a", Access.ALLOWED), Rule("b", Access.VISIBLE), Rule("c", Access.HIDDEN))
    await policies.check(ACTOR, "read", "a", "id")
    with pytest.raises(Forbidden):
        await policies.check(ACTOR, "read", "b", "id")
    with pytest.raises(NotFound):
        await policies.check(ACTOR, "read", "c", "id")


def test_a_kind_has_one_policy() -> None:
    policies = Policies()
    policies.add(Rule("client", Access.ALLOWED))
    with pytest.raises(PluginError, match="client"):
        policies.add(Rule("client", Access.HIDDEN))


def test_permissions_belong_to_roles() -> None:
    read = Permission("notes.read", "Read.", frozenset({"owner", "coach"}))
    write = Permission("notes.write", "Write.", frozenset({"owner"}), for_keys=False)
    policies = Policies()
    policies.allow(read, write)
    assert policies.permissions_of("owner") == policies.permissions == {"notes.read", "notes.write"}
    assert policies.permissions_of("coach") == policies.scopes == {"notes.read"}
    assert policies.permissions_of("stranger") == frozenset()
    with pytest.raises(PluginError, match=r"notes\.read is registered twice"):
        policies.allow(read)


def test_an_actor_without_a_permission_is_refused() -> None:
    ACTOR.require("notes.read")
    with pytest.raises(Forbidden, match=r"notes\.write"):
        ACTOR.require("notes.write")
