"""Of wellio_practice: the practice's settings, tags, clients."""

from wellio.testing import Rule, Rules, Thing
from wellio.testing.rules import ALL_STAFF, EVERYBODY, STAFF

BY_STAFF = frozenset({*ALL_STAFF.split(), "eve"})
CLIENT, TAG = "/api/v1/clients/{id}", "/api/v1/tags/{id}"

PRACTICE = Rules(
    "practice",
    rules=(
        Rule("GET /api/v1/practice", EVERYBODY),
        Rule("PATCH /api/v1/practice", "owner", role="owner", body={}),
        Rule("GET /api/v1/tags", ALL_STAFF, role=ALL_STAFF),
        Rule("POST /api/v1/tags", STAFF, 201, role=STAFF, body={"name": "{new}"}),
        Rule(f"GET {TAG}", ALL_STAFF, role=ALL_STAFF, ids={"id": "tag"}),
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
        Rule(f"GET {CLIENT}/timeline", "owner carl", role=ALL_STAFF, ids={"id": "client"}),
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
    ),
    scopes={
        "GET /api/v1/practice": "*",
        "PATCH /api/v1/practice": "practice.manage",
        **dict.fromkeys(
            (
                "GET /api/v1/clients",
                f"GET {CLIENT}",
                f"GET {CLIENT}/timeline",
                "GET /api/v1/tags",
                f"GET {TAG}",
            ),
            "clients.read",
        ),
        **dict.fromkeys(
            (
                *("POST /api/v1/clients", f"PATCH {CLIENT}"),
                *(f"{method} {CLIENT}/coaches/{{coachId}}" for method in ("PUT", "DELETE")),
                *(f"{method} {CLIENT}/tags/{{tagId}}" for method in ("PUT", "DELETE")),
                *("POST /api/v1/tags", f"PATCH {TAG}", f"DELETE {TAG}"),
            ),
            "clients.manage",
        ),
    },
    things={"tag": Thing("/tags", {"name": "{new}"}, gone="/tags")},
    shown=dict.fromkeys(
        ("lifecycle", "source", "tags", "metadata"), BY_STAFF
    ),  # of a client's record
    needs=dict.fromkeys(
        (
            *("lifecycle", "source", "tags", "metadata", "phone", "dateOfBirth", "coaches"),
            *("record-of-carls", "record-of-danas"),
        ),
        "clients.read",
    ),
)
