"""Of wellio_auth: sessions, accounts, invitations, API keys."""

from wellio.testing import PublicRule, Rule, Rules, Thing, World
from wellio.testing.rules import ALL_STAFF, EVERYBODY, STAFF
from wellio.testing.world import COACHES

ID = "/api/v1/{}/{{id}}"
INVITED, SESSION, USER = map(ID.format, ("invitations", "auth/sessions", "users"))
API_KEY = ID.format("api-keys")
BY_STAFF = frozenset({*ALL_STAFF.split(), "eve"})
INVITATION = {"email": "new@clients.example", "role": "client"}


async def _another_session(world: World, half: str) -> str:
    """Sign the half's coach in on one more device, and have them go on with the one before."""
    coach = COACHES[half]
    credential = world.people[coach]
    session_id = await world.sign_in(coach)
    world.people[coach] = credential
    return session_id


async def _an_invitation(world: World, half: str) -> str:
    """Invite somebody whom nobody invited yet: an invitation takes back the one before it."""
    new = (await world.fill("{new}", half)).replace(" ", "-")
    body = {"email": f"{new}@clients.example", "role": "client"}
    return str((await world.api(COACHES[half]).post("/invitations", body, status=201)).data["id"])


AUTH = Rules(
    "auth",
    rules=(
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
            "POST /api/v1/invitations",
            "owner",
            201,
            role="owner",
            body=INVITATION | {"role": "coach"},
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
    ),
    public=tuple(
        PublicRule(f"POST /api/v1{path}", path, 422, {})
        for path in ("/auth/login", "/auth/refresh", "/invitations/redeem", "/setup")
    ),
    scopes={
        "GET /api/v1/me": "*",
        "GET /api/v1/users": "users.read",
        f"GET {USER}": "users.read",
    },
    things={
        "session": Thing(make=_another_session, gone="/auth/sessions"),
        "invitation": Thing(make=_an_invitation, gone="/invitations"),
        "api_key": Thing(
            "/api-keys", {"note": "program", "scopes": ["clients.read"]}, gone="/api-keys"
        ),
    },
    shown={
        **dict.fromkeys(("invitedBy", "coachId", "link"), BY_STAFF),  # of an invitation
        **dict.fromkeys(("scopes", "lastUsedAt", "key"), BY_STAFF),  # of an API key
    },
    once={"key": "POST /api/v1/api-keys", "link": "POST /api/v1/invitations"},
)
