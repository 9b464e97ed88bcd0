"""Two halves of a practice that must not know of each other, and everybody who may try.

Carl looks after Mia and Max, Dana after Noah and Nora; Eve is a coach whom both can ask in. What is
made for a half bears words that only some people may ever read (`SECRETS`). Some come with API keys
instead of a login, and some things of Carl's half are gone.
"""

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from wellio_auth.accounts import Accounts
from wellio_auth.api_keys.token import make_token
from wellio_auth.models import Origin
from wellio_auth.sessions import Sessions

from wellio import ManualClock, rfc3339
from wellio.testing import Api, TestApp, User
from wellio.testing.users import Users

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
_COACHS_SCOPES: Final = (
    *("chat.read", "chat.send", "chat.manage_groups", "clients.read", "clients.manage"),
)
#: API keys: whose they are, and what they may do.
KEYS: Final[Mapping[str, tuple[str, Collection[str]]]] = {
    "carl's key": ("carl", _COACHS_SCOPES),
    "carl's lesser key": ("carl", ("clients.read",)),
    "carl's chatting key": ("carl", ("chat.read", "chat.send")),
    "owner's key": ("owner", (*_COACHS_SCOPES, "users.read", "practice.manage")),
}
#: What can be gone; a message that was deleted is still there, without its words.
DELETABLE: Final = frozenset(
    {"api_key", "client", "coach", "invitation", "member", "message", "session", "tag"}
)
SIGNED_IN: Final = ("owner", "carl", "dana", "assistant", "mia", "max", "noah", "nora")
#: What may be read by whom alone, wherever it turns up.
SECRETS: Final[Mapping[str, Collection[str]]] = {
    "chat-of-carls": {"carl", "mia", "eve"},
    "chat-of-danas": {"dana", "noah", "eve"},
    "record-of-carls": {"carl", "owner"},
    "record-of-danas": {"dana", "owner"},
    "mia@clients.example": {"carl", "owner", "mia"},
    "noah@clients.example": {"dana", "owner", "noah"},
}


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody sends, good or not."""

    token: str


class World:
    """The practice.

    Attributes:
        app: The server.
        people: Everybody's credential by name; nobody has none.
        ids: Everybody's account.
    """

    def __init__(self, app: TestApp) -> None:
        self.app = app
        self.people: dict[str, Credential | None] = {"nobody": None}
        self.ids: dict[str, str] = {}
        self._things: dict[tuple[str, str], str] = {}
        self._numbers = count(1)

    async def populate(self, clock: ManualClock) -> None:
        """Make everybody and their credentials; the clock moves past an access token's life."""
        users = Users()
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
        self.people["expired"] = Credential(made["carl"].token)
        self.people["refresh"] = Credential(made["carl"].refresh_token)
        clock.advance(ms=3_600_000)
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

    async def _make_keys(self, clock: ManualClock) -> None:
        """Make everybody's API keys, good and bad."""
        for name, (holder, scopes) in KEYS.items():
            await self._make_key(holder, name, scopes)
        await self._make_key("disabled", "disabled's key")
        await self._make_key("carl", "expired key", until=clock.now_ms() + 1)
        clock.advance(ms=1)
        key_id = await self._make_key("carl", "revoked key")
        await self.api("carl").delete(f"/api-keys/{key_id}", status=204)
        key_id = await self._make_key("carl", "forged key")
        self.people["forged key"] = Credential(make_token(key_id))

    async def _make_key(
        self,
        holder: str,
        name: str,
        scopes: Collection[str] = ("clients.read",),
        until: int | None = None,
    ) -> str:
        body = {"note": name, "scopes": list(scopes)}
        body |= {"expiresAt": rfc3339(until)} if until else {}
        made = await self.api(holder).post("/api-keys", body, status=201)
        self.people[name] = Credential(made.data["key"])
        return str(made.data["id"])

    async def _erase_some(self, users: Users, coach: User) -> None:
        """Make a client and a coach, and leave nothing but their ids."""
        client = await users.make(self.app, "client", coach=coach)
        self._things["member", "deleted"] = client.id
        listed = (await self.api("carl").get("/clients", status=200)).data["items"]
        record = next(item["id"] for item in listed if item["userId"] == client.id)
        self._things["client", "deleted"] = record
        gone = await users.make(self.app, "coach")
        self._things["coach", "deleted"] = gone.id
        asked = self.app.app.plugins.ask("register_personal_data", app=self.app.app)
        for data in reversed([item for _, answer in asked for item in answer]):
            for user_id in (client.id, gone.id):
                await self.app.app.db.write(data.erase, user_id)

    async def sign_in(self, name: str, as_: str | None = None) -> str:
        """Begin one more session of somebody's, which is the one that they use; return its id."""
        sessions = self.app.app.service(Sessions)
        user = await self.app.app.service(Accounts).get(self.ids[name])
        grant = await self.app.app.db.write(sessions.open, user, Origin("", "contract"))
        self.people[as_ or name] = Credential(sessions.answer(grant)["accessToken"])
        return grant.session_id

    def api(self, name: str) -> Api:
        """Return somebody's client."""
        return self.app.api.as_(self.people[name])

    async def fill(self, template: Any, target: str) -> Any:
        """Put the ids of a half's things in for the names in braces.

        Args:
            template: Text, or JSON with text in it.
            target: `carls`, `danas`, `random`: nothing of it ever existed, or `deleted`: what can
                be deleted of Carl's half is.
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
        if kind in self.ids:
            return self.ids[kind]
        if target == "random" or kind == "nowhere":
            return NOWHERE
        if target == "deleted" and kind not in DELETABLE:
            target = "carls"
        if (kind, target) not in self._things:
            self._things[kind, target] = await (
                self._delete(kind) if target == "deleted" else self._make(kind, target)
            )
        return self._things[kind, target]

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
                self._things.pop((kind, side), None)

    async def _delete(self, kind: str) -> str:
        """Make one more thing of Carl's half and delete it; return its id."""
        made = await self._make(kind, "carls")
        paths = {
            "api_key": "/api-keys",
            "invitation": "/invitations",
            "message": "/messages",
            "session": "/auth/sessions",
            "tag": "/tags",
        }
        await self.api("carl").delete(f"{paths[kind]}/{made}", status=204)
        return made

    async def _make(self, kind: str, side: str) -> str:
        coach, client = COACHES[side], CLIENTS[side]
        api, member = self.api(coach), self.ids[client]
        match kind:
            case "coach":
                return self.ids[coach]
            case "member":
                return member
            case "outsider":
                return self.ids[MIRROR[client]]
            case "session":
                credential = self.people[coach]
                session_id = await self.sign_in(coach)
                self.people[coach] = credential
                return session_id
            case "client":
                listed = (await api.get("/clients", status=200)).data["items"]
                return str(next(item["id"] for item in listed if item["userId"] == member))
        path, body = {
            "tag": ("/tags", {"name": await self.id_of("new", side)}),
            "api_key": ("/api-keys", {"note": "program", "scopes": ["clients.read"]}),
            "invitation": ("/invitations", {"email": "new@clients.example", "role": "client"}),
            "direct": ("/conversations", {"kind": "direct", "memberIds": [member]}),
            "group": (
                "/conversations",
                {
                    "kind": "group",
                    "memberIds": [member, self.ids["eve"]],
                    "title": f"chat-of-{side}",
                },
            ),
            "message": ("/conversations/{direct}/messages", {"content": f"chat-of-{side}"}),
        }[kind]
        made = await api.post(await self.fill(path, side), body)
        assert made.status in {200, 201}, made.content
        return str(made.data["id"])


def session_of(credential: Credential) -> str:
    """Return the login session that an access token belongs to."""
    payload = credential.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(claims["sid"])


def person(caller: str) -> str:
    """Return in whose name somebody calls: a key's maker, else they themself."""
    return KEYS[caller][0] if caller in KEYS else caller


def leaked(text: str, caller: str) -> list[str]:
    """Return the secrets in a text that its reader may not read."""
    return [
        secret
        for secret, readers in SECRETS.items()
        if secret in text and person(caller) not in readers
    ]
