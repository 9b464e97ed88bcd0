"""Who may do what: one line or more for every endpoint and every socket event.

Each rule speaks of a thing of Carl's half; for Dana's, everybody has a mirror image. Who is not
named gets what they would get for a thing that does not exist, and so does everybody for one that
is gone. An API key gets what its maker gets, where `SCOPES` opens the door to it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contract.world import DELETABLE, KEYS, MIRROR, REFUSED

STAFF = "owner carl dana"
TAGGERS = ALL_STAFF = f"{STAFF} assistant"
CHATTING = f"{STAFF} mia max noah nora"
EVERYBODY = f"{CHATTING} assistant"
DIRECT = {"kind": "direct", "memberIds": ["{member}"]}
GROUP = {"kind": "group", "memberIds": ["{member}"], "title": "Walkers"}
INVITATION = {"email": "new@clients.example", "role": "client"}
HELLO = {"content": "Hello"}
_KIND = re.compile(r"\{(?!new)(\w+)\}")


@dataclass(frozen=True)
class Rule:
    """What an endpoint or a socket event answers to whom.

    Attributes:
        call: The method and path as OpenAPI has them, or the event's name.
        yes: Who succeeds.
        status: How; several where the first time differs from the next.
        seen: Who may see the thing but not do this with it: 403.
        role: Who holds the permission; to everybody else it is a 403, whatever the thing.
        ids: The kind of thing that each path parameter names.
        body: The body; kinds in braces.
        missing: What a thing that does not exist is answered.
        but: Exceptions, by `own NAME`, `random NAME` and `deleted NAME`.
        uses_up: What is gone when it succeeds; `me` is the caller's own session.
        scope: What an API key must hold beyond what `SCOPES` says.
    """

    call: str
    yes: str
    status: int | tuple[int, ...] = 200
    seen: str = ""
    role: str = EVERYBODY
    ids: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    missing: int = 404
    but: Mapping[str, int] = field(default_factory=dict)
    uses_up: str = ""
    scope: str = "*"

    @property
    def kinds(self) -> set[str]:
        """Return the kinds of things that it is about."""
        return {*self.ids.values(), *_KIND.findall(str(self.body))}

    @property
    def targets(self) -> tuple[str, ...]:
        """Return whose things it is tried with."""
        if not self.kinds:
            return ("carls",)
        may_be_gone = self.kinds & DELETABLE and not self.kinds & {"group"}
        return ("carls", "danas", "random", *(("deleted",) if may_be_gone else ()))

    @property
    def good(self) -> tuple[int, ...]:
        return self.status if isinstance(self.status, tuple) else (self.status,)

    @property
    def path(self) -> str:
        """Return the path with the kinds of things in the place of its parameters."""
        path = self.call.partition(" ")[2]
        for name, kind in self.ids.items():
            path = path.replace(f"{{{name}}}", f"{{{kind}}}")
        return "/" + path if not path.startswith("/api/v1") else path.removeprefix("/api/v1")

    def expected(self, caller: str, target: str) -> tuple[int, ...]:
        """Return the statuses that are right for a caller and a thing of a half."""
        if caller in REFUSED:
            return (401,)
        if caller in KEYS:
            maker, scopes = KEYS[caller]
            is_open = {SCOPES.get(self.call), self.scope} <= {"*", *scopes}
            return self.expected(maker, target) if is_open else (403,)
        name = MIRROR.get(caller, caller) if target == "danas" else caller
        is_there = target in {"carls", "danas"} or (target == "deleted" and "message" in self.kinds)
        special = self.but.get(f"{target} {name}")
        if special is None:
            special = self.but.get(f"{'own' if is_there else 'random'} {name}")
        if special is not None:
            return (special,)
        if name not in self.role.split() or (is_there and name in self.seen.split()):
            return (403,)
        if name in self.yes.split() and (is_there or not self.kinds):
            return self.good
        return (self.missing,)


@dataclass(frozen=True)
class Public:
    """An endpoint that asks nobody who they are: a bad credential changes nothing."""

    call: str
    path: str
    status: int
    body: Any = None


PUBLIC = (
    *(
        Public(f"GET {path}", f"/{path}", 200)
        for path in ("/livez", "/readyz", "/health", "/metrics", "/openapi.json", "/docs")
    ),
    Public("GET /health/{plugin}", "//health/chat", 200),
    Public("GET /docs/{file}", "//docs/nothing.js", 404),
    *(
        Public(f"POST /api/v1{path}", path, 422, {})
        for path in ("/auth/login", "/auth/refresh", "/invitations/redeem", "/setup")
    ),
)

ID = "/api/v1/{}/{{id}}"
CLIENT, CONVERSATION, MESSAGE = map(ID.format, ("clients", "conversations", "messages"))
MEMBER = CONVERSATION + "/members/{userId}"
INVITED, TAG, SESSION, USER = map(ID.format, ("invitations", "tags", "auth/sessions", "users"))
API_KEY = ID.format("api-keys")

RULES = (
    Rule("GET /api/v1/dashboard", EVERYBODY),
    # auth
    Rule("POST /api/v1/auth/logout", EVERYBODY, 204, uses_up="me"),
    Rule("POST /api/v1/auth/logout-all", EVERYBODY, 204, uses_up="me session"),
    Rule("POST /api/v1/auth/password", EVERYBODY, 422, body={}),
    Rule("GET /api/v1/auth/sessions", EVERYBODY),
    Rule("DELETE /api/v1/auth/sessions", EVERYBODY, 204, uses_up="session"),
    Rule(f"GET {SESSION}", "carl", ids={"id": "session"}),
    Rule(f"DELETE {SESSION}", "carl", 204, ids={"id": "session"}, uses_up="session"),
    Rule("GET /api/v1/me", EVERYBODY),
    Rule("PATCH /api/v1/me", EVERYBODY, body={}),
    Rule("GET /api/v1/users", "owner", role="owner"),
    Rule(f"GET {USER}", "owner", role="owner", ids={"id": "member"}),
    Rule(f"PATCH {USER}", "owner", role="owner", ids={"id": "member"}, body={}),
    Rule("GET /api/v1/invitations", STAFF, role=STAFF),
    Rule("POST /api/v1/invitations", STAFF, 201, role=STAFF, body=INVITATION),
    Rule(
        "POST /api/v1/invitations", "owner", 201, role="owner", body=INVITATION | {"role": "coach"}
    ),
    Rule(
        "POST /api/v1/invitations",
        "owner carl",
        201,
        seen="dana",
        role=STAFF,
        body=INVITATION | {"coachId": "{coach}"},
        missing=403,
        but={"random owner": 422},
    ),
    Rule(f"GET {INVITED}", "owner carl", role=STAFF, ids={"id": "invitation"}),
    Rule(
        f"DELETE {INVITED}",
        "owner carl",
        204,
        role=STAFF,
        ids={"id": "invitation"},
        uses_up="invitation",
    ),
    Rule("GET /api/v1/api-keys", ALL_STAFF, role=ALL_STAFF),
    Rule(
        "POST /api/v1/api-keys",
        ALL_STAFF,
        201,
        role=ALL_STAFF,
        body={"note": "{new}", "scopes": ["clients.read"]},
    ),
    Rule(f"GET {API_KEY}", "owner carl", role=ALL_STAFF, ids={"id": "api_key"}),
    Rule(
        f"DELETE {API_KEY}",
        "owner carl",
        204,
        role=ALL_STAFF,
        ids={"id": "api_key"},
        uses_up="api_key",
    ),
    # practice
    Rule("GET /api/v1/practice", EVERYBODY),
    Rule("PATCH /api/v1/practice", "owner", role="owner", body={}),
    Rule("GET /api/v1/tags", TAGGERS, role=TAGGERS),
    Rule("POST /api/v1/tags", STAFF, 201, role=STAFF, body={"name": "{new}"}),
    Rule(f"GET {TAG}", TAGGERS, role=TAGGERS, ids={"id": "tag"}),
    Rule(f"PATCH {TAG}", STAFF, role=STAFF, ids={"id": "tag"}, body={"name": "{new}"}),
    Rule(f"DELETE {TAG}", STAFF, 204, role=STAFF, ids={"id": "tag"}, uses_up="tag"),
    Rule("GET /api/v1/clients", EVERYBODY),
    Rule("POST /api/v1/clients", STAFF, 201, role=STAFF, body={"name": "{new}"}),
    Rule(
        "POST /api/v1/clients",
        "owner carl",
        201,
        role=STAFF,
        body={"name": "Nia", "coachIds": ["{coach}"]},
        missing=422,
    ),
    Rule(f"GET {CLIENT}", "owner carl mia", ids={"id": "client"}),
    Rule(f"PATCH {CLIENT}", "owner carl", seen="mia", ids={"id": "client"}, body={}),
    *(
        Rule(
            f"{method} {CLIENT}/coaches/{{coachId}}",
            "owner",
            status,
            seen="carl mia",
            ids={"id": "client", "coachId": coach},
        )
        for method, coach, status in (
            ("PUT", "eve", 204),
            ("PUT", "mia", 404),
            ("PUT", "nowhere", 404),
            ("DELETE", "eve", 204),
            ("DELETE", "nowhere", 204),
        )
    ),
    *(
        Rule(
            f"{method} {CLIENT}/tags/{{tagId}}",
            "owner carl",
            status,
            seen="mia",
            ids={"id": "client", "tagId": tag},
        )
        for method, tag, status in (
            ("PUT", "tag", 204),
            ("PUT", "nowhere", 404),
            ("DELETE", "tag", 204),
            ("DELETE", "nowhere", 204),
        )
    ),
    # chat
    Rule("GET /api/v1/conversations", CHATTING, role=CHATTING),
    Rule(
        "POST /api/v1/conversations",
        "owner carl",
        (200, 201),
        role=CHATTING,
        body=DIRECT,
        but={"own mia": 422},
    ),
    Rule(
        "POST /api/v1/conversations",
        "owner carl",
        201,
        role=STAFF,
        body=GROUP,
        scope="chat.manage_groups",
    ),
    Rule(f"GET {CONVERSATION}", "carl mia", role=CHATTING, ids={"id": "group"}),
    Rule(
        f"POST {CONVERSATION}/members",
        "carl",
        201,
        seen="mia",
        ids={"id": "group"},
        body={"userId": "{eve}"},
    ),
    Rule(
        f"POST {CONVERSATION}/members",
        "",
        seen="mia",
        ids={"id": "group"},
        body={"userId": "{outsider}"},
    ),
    Rule(
        f"DELETE {MEMBER}",
        "carl",
        204,
        "mia",
        ids={"id": "group", "userId": "eve"},
        uses_up="group",
    ),
    Rule(f"DELETE {MEMBER}", "", seen="mia", ids={"id": "group", "userId": "outsider"}),
    Rule(
        f"DELETE {MEMBER}",
        "carl mia",
        204,
        ids={"id": "group", "userId": "member"},
        uses_up="group",
    ),
    Rule(f"GET {CONVERSATION}/messages", "carl mia", role=CHATTING, ids={"id": "direct"}),
    Rule(
        f"POST {CONVERSATION}/messages",
        "carl mia",
        201,
        role=CHATTING,
        ids={"id": "direct"},
        body=HELLO,
    ),
    Rule(
        f"POST {CONVERSATION}/read",
        "carl mia",
        role=CHATTING,
        ids={"id": "direct"},
        body={"messageId": "{message}"},
    ),
    Rule(f"GET {CONVERSATION}/events", "carl mia", role=CHATTING, ids={"id": "direct"}),
    Rule(f"GET {MESSAGE}", "carl mia", role=CHATTING, ids={"id": "message"}),
    Rule(
        f"PATCH {MESSAGE}",
        "carl",
        seen="mia",
        ids={"id": "message"},
        body=HELLO,
        but={"deleted carl": 409},
    ),
    Rule(f"DELETE {MESSAGE}", "carl", 204, "mia", ids={"id": "message"}, uses_up="message"),
)

IN = {"conversationId": "{direct}"}
EVENTS = (
    Rule("send_message", "carl mia", role=CHATTING, body=IN | HELLO),
    Rule("typing", "carl mia", role=CHATTING, body=IN | {"isTyping": True}),
    Rule("mark_delivered", "carl mia", role=CHATTING, body=IN | {"messageId": "{message}"}),
    Rule("mark_read", "carl mia", role=CHATTING, body=IN | {"messageId": "{message}"}),
    Rule("sync", CHATTING, role=CHATTING, body={"after": None}),
)

#: What an API key must hold, `*` for nothing in particular; all else is closed to keys.
SCOPES: Mapping[str, str] = {
    call: scope
    for scope, calls in {
        "*": ("GET /api/v1/me", "GET /api/v1/practice"),
        "users.read": ("GET /api/v1/users", f"GET {USER}"),
        "practice.manage": ("PATCH /api/v1/practice",),
        "clients.read": (
            *("GET /api/v1/clients", f"GET {CLIENT}", "GET /api/v1/tags", f"GET {TAG}"),
        ),
        "clients.manage": (
            *("POST /api/v1/clients", f"PATCH {CLIENT}"),
            *(f"{method} {CLIENT}/coaches/{{coachId}}" for method in ("PUT", "DELETE")),
            *(f"{method} {CLIENT}/tags/{{tagId}}" for method in ("PUT", "DELETE")),
            *("POST /api/v1/tags", f"PATCH {TAG}", f"DELETE {TAG}"),
        ),
        "chat.read": (
            *("GET /api/v1/conversations", f"GET {CONVERSATION}", f"GET {CONVERSATION}/messages"),
            *(f"POST {CONVERSATION}/read", f"GET {CONVERSATION}/events", f"GET {MESSAGE}"),
            *("mark_delivered", "mark_read", "sync"),
        ),
        "chat.send": (
            *("POST /api/v1/conversations", f"POST {CONVERSATION}/messages"),
            *(f"PATCH {MESSAGE}", f"DELETE {MESSAGE}", "send_message", "typing"),
        ),
        "chat.manage_groups": (f"POST {CONVERSATION}/members", f"DELETE {MEMBER}"),
    }.items()
    for call in calls
}
