"""Two halves of a practice that must not know of each other, and everybody who may try.

Carl looks after Mia and Max, Dana after Noah and Nora; Eve is a coach whom both can ask in. What is
made for a half bears words that only some people may ever read. Some come with API keys instead of
a login, and some things of Carl's half are gone.
"""

import base64
import json
import re
import secrets
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from wellio.clock import ManualClock, rfc3339

from .apps import TestApp
from .client import Api
from .rules import Rules, Thing
from .users import User, Users, sign_in_cheaply

NOWHERE: Final = "01890000-0000-7000-8000-000000000000"
#: Who is who in the other half.
MIRROR: Final = {
    "carl": "dana",
    "dana": "carl",
    "mia": "noah",
    "noah": "mia",
    "max": "nora",
    "nora": "max",
}
COACHES: Final = {"carls": "carl", "danas": "dana"}
CLIENTS: Final = {"carls": "mia", "danas": "noah"}
#: Whose credential does not work: nobody's, a disabled owner's and their key, the rest Carl's.
REFUSED: Final = (
    *("nobody", "disabled", "expired", "refresh", "revoked"),
    *("disabled's key", "expired key", "revoked key", "forged key"),
)
#: API keys and whose they are. The first two may do what keys of their makers can at most.
KEYS: Final[Mapping[str, str]] = {
    "carl's key": "carl",
    "owner's key": "owner",
    "carl's lesser key": "carl",
    "carl's chatting key": "carl",
}
_LESSER: Final[Mapping[str, Collection[str]]] = {
    "carl's lesser key": {"clients.read"},
    "carl's chatting key": {"chat.read", "chat.send"},
}
SIGNED_IN: Final = ("owner", "carl", "dana", "assistant", "mia", "max", "noah", "nora")
#: What may be read by whom alone, whatever the plugins.
_SECRETS: Final[Mapping[str, Collection[str]]] = {
    "record-of-carls": {"carl", "owner"},
    "record-of-danas": {"dana", "owner"},
    "mia@clients.example": {"carl", "owner", "mia"},
    "noah@clients.example": {"dana", "owner", "noah"},
}
_ACCESS_TOKENS_LIFE_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody sends, good or not."""

    token: str


class World:
    """The practice.

    Attributes:
        app: The server.
        tables: What the plugins answer to whom.
        people: Everybody's credential by name; nobody has none.
        ids: Everybody's account.
        things: The kinds of things that can be had.
        secrets: What may be read by whom alone, wherever it turns up.
        users: Makes more accounts.
    """

    def __init__(self, app: TestApp, *tables: Rules) -> None:
        self.app = app
        self.tables = tables
        self.people: dict[str, Credential | None] = {"nobody": None}
        self.ids: dict[str, str] = {}
        self.things: dict[str, Thing] = {
            "client": Thing(make=_record),
            "coach": Thing(make=_coach),
            "member": Thing(make=_member),
            "outsider": Thing(make=_outsider),
        }
        self.secrets = dict(_SECRETS)
        self._needs: dict[str, str] = {}
        for table in tables:
            self._needs |= table.needs
            self.things |= table.things
            self.secrets |= table.secrets
        self._emails: dict[str, str] = {}
        self._made: dict[tuple[str, str], str] = {}
        self._numbers = count(1)
        self.users = Users()

    async def populate(self, clock: ManualClock) -> None:
        """Make everybody and their credentials; the clock moves past an access token's life."""
        users = self.users
        made = {
            name: await users.make(self.app, role, name=name.title())
            for name, role in (
                ("owner", "owner"),
                ("disabled", "owner"),
                ("carl", "coach"),
                ("dana", "coach"),
                ("eve", "coach"),
                ("assistant", "assistant"),
            )
        }
        for name in ("mia", "max", "noah", "nora"):
            coach = made["carl" if name in {"mia", "max"} else "dana"]
            email = f"{name}@clients.example"
            made[name] = await users.make(self.app, "client", name=name, email=email, coach=coach)
        self.ids = {name: user.id for name, user in made.items()}
        self._emails = {name: user.email for name, user in made.items()}
        self.people["expired"] = Credential(made["carl"].token)
        self.people["refresh"] = Credential(made["carl"].refresh_token)
        clock.advance(ms=_ACCESS_TOKENS_LIFE_MS)
        for name in (*SIGNED_IN, "eve", "disabled"):
            await self.sign_in(name)
        await self.sign_in("carl", "revoked")
        await self.api("revoked").post("/auth/logout", status=204)
        await self._make_keys(clock)
        await self._erase_some(users, made["carl"])
        body = {"status": "disabled"}
        await self.api("owner").patch(f"/users/{self.ids['disabled']}", body, status=200)
        for side, coach_name in COACHES.items():
            body = {"source": f"record-of-{side}"}
            record = await self.id_of("client", side)
            await self.api(coach_name).patch(f"/clients/{record}", body, status=200)

    def scopes_of(self, key: str) -> frozenset[str]:
        """Return what one of `KEYS` may do."""
        policies = self.app.app.policies
        role = "owner" if KEYS[key] == "owner" else "coach"
        held = policies.permissions_of(role) & policies.scopes
        return held & frozenset(_LESSER.get(key, held))

    async def _make_keys(self, clock: ManualClock) -> None:
        """Make everybody's API keys, good and bad."""
        for name, holder in KEYS.items():
            await self._make_key(holder, name, self.scopes_of(name))
        await self._make_key("disabled", "disabled's key")
        await self._make_key("carl", "expired key", until=clock.now_ms() + 1)
        clock.advance(ms=1)
        key_id = await self._make_key("carl", "revoked key")
        await self.api("carl").delete(f"/api-keys/{key_id}", status=204)
        await self._make_key("carl", "forged key")
        good = self.people["forged key"]
        assert good
        self.people["forged key"] = Credential(_forged(good.token))

    async def _make_key(
        self,
        holder: str,
        name: str,
        scopes: Collection[str] = ("clients.read",),
        until: int | None = None,
    ) -> str:
        body = {"note": name, "scopes": sorted(scopes)}
        body |= {"expiresAt": rfc3339(until)} if until else {}
        made = await self.api(holder).post("/api-keys", body, status=201)
        self.people[name] = Credential(made.data["key"])
        return str(made.data["id"])

    async def _erase_some(self, users: Users, coach: User) -> None:
        """Make a client and a coach, and leave nothing but their ids."""
        client = await users.make(self.app, "client", coach=coach)
        self._made["member", "deleted"] = client.id
        self._made["client", "deleted"] = await self.record_of("carl", client.id)
        gone = await users.make(self.app, "coach")
        self._made["coach", "deleted"] = gone.id
        for user_id in (client.id, gone.id):
            await self.app.erase(user_id)

    async def sign_in(self, name: str, as_: str | None = None) -> str:
        """Begin one more session of somebody's, which is the one that they use; return its id."""
        user = await sign_in_cheaply(self.app, self._emails[name])
        credential = self.people[as_ or name] = Credential(user.token)
        return session_of(credential)

    def api(self, name: str) -> Api:
        """Return somebody's client."""
        return self.app.api.as_(self.people[name])

    async def record_of(self, coach: str, user_id: str) -> str:
        """Return the id of a client's record, which a coach sees, by their account's."""
        listed = (await self.api(coach).get("/clients", status=200)).data["items"]
        return str(next(item["id"] for item in listed if item["userId"] == user_id))

    def can_be_gone(self, kind: str) -> bool:
        """Tell whether a kind of thing can be deleted, or erased with a person."""
        return (kind, "deleted") in self._made or bool(self.things.get(kind, Thing()).gone)

    async def fill(self, template: Any, target: str) -> Any:
        """Put the ids of a half's things in for the names in braces.

        Args:
            template: Text, or JSON with text in it.
            target: `carls`, `danas`, `random`: nothing of it ever existed, `mistaken`: nor is it
                in the form of an id, or `deleted`: what can be deleted of Carl's half is.
        """
        match template:
            case dict():
                return {key: await self.fill(value, target) for key, value in template.items()}
            case list():
                return [await self.fill(value, target) for value in template]
            case str():
                for kind in [part.partition("}")[0] for part in template.split("{")[1:]]:
                    found = await self.id_of(kind, target)
                    template = template.replace(f"{{{kind}}}", found, 1)
        return template

    async def id_of(self, kind: str, target: str) -> str:
        """Return the id of a half's thing, made if need be; `new` is another word every time."""
        if kind == "new":
            return f"new {next(self._numbers)}"
        if kind == "half":
            return target
        if kind in self.ids:
            return self.ids[kind]
        if target == "mistaken":
            return "7"
        if target == "random" or kind == "nowhere":
            return NOWHERE
        if target == "deleted" and not self.can_be_gone(kind):
            target = "carls"
        if (kind, target) not in self._made:
            self._made[kind, target] = await (
                self._delete(kind) if target == "deleted" else self._make(kind, target)
            )
        return self._made[kind, target]

    async def replace(self, used_up: str, caller: str) -> None:
        """Make up for a call that used something up.

        Args:
            used_up: The kinds of things, which are made anew when they are next asked for; `me` is
                the caller's session.
            caller: Who called.
        """
        for kind in used_up.split():
            if kind == "me":
                await self.sign_in(caller)
            for side in COACHES:
                self._made.pop((kind, side), None)

    def leaked(self, text: str, caller: str) -> list[str]:
        """Return the secrets in a text that its reader may not read."""
        return [
            secret
            for secret, readers in self.secrets.items()
            if secret in text and not (person(caller) in readers and self.shows(secret, caller))
        ]

    def shows(self, what: str, caller: str) -> bool:
        """Tell whether the scopes of a caller's API key, if that is one, show something."""
        scope = self._needs.get(what)
        return scope is None or caller not in KEYS or scope in self.scopes_of(caller)

    def _maker(self, thing: Thing, side: str) -> Api:
        return self.api(COACHES[side] if thing.by == "coach" else CLIENTS[side])

    async def _delete(self, kind: str) -> str:
        """Make one more thing of Carl's half and delete it; return its id."""
        made = await self._make(kind, "carls")
        path = await self.fill(self.things[kind].gone, "carls")
        await self._maker(self.things[kind], "carls").delete(f"{path}/{made}", status=204)
        return made

    async def _make(self, kind: str, side: str) -> str:
        thing = self.things[kind]
        if thing.make:
            return await thing.make(self, side)
        path, body = await self.fill(thing.path, side), await self.fill(thing.body, side)
        made = await self._maker(thing, side).post(path, body)
        assert made.status in {200, 201}, made.content
        return str(made.data["id"])


async def _record(world: World, side: str) -> str:
    return await world.record_of(COACHES[side], world.ids[CLIENTS[side]])


async def _coach(world: World, side: str) -> str:
    return world.ids[COACHES[side]]


async def _member(world: World, side: str) -> str:
    return world.ids[CLIENTS[side]]


async def _outsider(world: World, side: str) -> str:
    return world.ids[MIRROR[CLIENTS[side]]]


def session_of(credential: Credential) -> str:
    """Return the login session that an access token belongs to."""
    payload = credential.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["sid"])


def person(caller: str) -> str:
    """Return in whose name somebody calls: a key's maker, else they themself."""
    return KEYS.get(caller, caller)


def _forged(key: str) -> str:
    """Return a key in good form, its checksum right, with another secret than the real one's."""
    head = re.sub(r"_[0-9a-f]{64}_[0-9a-f]{8}$", f"_{secrets.token_hex(32)}", key)
    return f"{head}_{zlib.crc32(head.encode()):08x}"
