"""Nobody, the wrong role and somebody else are refused everywhere, and nothing happens."""

import pytest

from tests.plugins.chat.conftest import Practice
from wellio.testing import Scenario, Sockets

NOWHERE = "01890000-0000-7000-8000-000000000000"
SEND = {"content": "Hello"}
#: Of every endpoint: method, path, body
ENDPOINTS = [
    ("GET", "/conversations", None),
    ("POST", "/conversations", {"kind": "direct", "memberIds": ["{coach}"]}),
    ("GET", "/conversations/{direct}", None),
    ("POST", "/conversations/{group}/members", {"userId": "{owner}"}),
    ("DELETE", "/conversations/{group}/members/{client}", None),
    ("GET", "/conversations/{direct}/messages", None),
    ("POST", "/conversations/{direct}/messages", SEND),
    ("POST", "/conversations/{direct}/read", {"messageId": "{message}"}),
    ("GET", "/conversations/{direct}/events", None),
    ("GET", "/messages/{message}", None),
    ("PATCH", "/messages/{message}", SEND),
    ("DELETE", "/messages/{message}", None),
]
NOBODY = [
    Scenario(f"nobody: {method} {path}", method, path, body=body, status=401)
    for method, path, body in ENDPOINTS
]
STRANGERS = [
    Scenario(f"{who}: {method} {path}", method, path, who, body, status=404)
    for who in ("other_coach", "stranger", "owner")
    for method, path, body in ENDPOINTS
    if "{direct}" in path or "{group}" in path or "{message}" in path
]
ASSISTANT = [
    Scenario(
        f"assistant: {method} {path}",
        method,
        path,
        "assistant",
        body,
        status=404 if "members" in path or method in {"PATCH", "DELETE"} else 403,
    )
    for method, path, body in ENDPOINTS
]
ROLES = [
    Scenario(
        "a client makes no group",
        "POST",
        "/conversations",
        "client",
        {"kind": "group", "memberIds": ["{coach}"]},
        status=403,
    ),
    Scenario(
        "a client adds nobody to a group",
        "POST",
        "/conversations/{group}/members",
        "client",
        {"userId": "{owner}"},
        status=403,
    ),
    Scenario(
        "a client removes nobody but themself",
        "DELETE",
        "/conversations/{group}/members/{coach}",
        "client",
        status=403,
    ),
    Scenario(
        "another member does not edit", "PATCH", "/messages/{message}", "client", SEND, status=403
    ),
    Scenario(
        "another member does not delete", "DELETE", "/messages/{message}", "client", status=403
    ),
    *(
        Scenario(
            f"{who} may not know {whom}",
            "POST",
            "/conversations",
            who,
            {"kind": "direct", "memberIds": ["{" + whom + "}"]},
            status=404,
        )
        for who, whom in [
            ("client", "other_coach"),
            ("client", "owner"),
            ("client", "stranger"),
            ("client", "assistant"),
            ("coach", "stranger"),
            ("coach", "assistant"),
            ("owner", "assistant"),
            ("owner", "nowhere"),
        ]
    ),
    Scenario(
        "a coach asks nobody else's client into a group",
        "POST",
        "/conversations/{group}/members",
        "coach",
        {"userId": "{stranger}"},
        status=404,
    ),
    *(
        Scenario(f"no such thing: {method} {path}", method, path, "coach", body, status=404)
        for method, path, body in [
            ("GET", "/conversations/{nowhere}", None),
            ("GET", "/conversations/7", None),
            ("POST", "/conversations/{nowhere}/messages", SEND),
            ("GET", "/messages/{nowhere}", None),
            ("PATCH", "/messages/{nowhere}", SEND),
            ("POST", "/conversations/{direct}/read", {"messageId": "{elsewhere}"}),
        ]
    ),
]


async def test_refusals(practice: Practice, subtests: pytest.Subtests) -> None:
    direct = await practice.direct("coach", "client")
    group = await practice.group("coach", "client")
    message = await practice.send("coach", direct, "A secret of two")
    elsewhere = await practice.send("coach", group, "Somewhere else")
    ids = {
        **practice.ids,
        "direct": direct,
        "group": group,
        "message": message["id"],
        "elsewhere": elsewhere["id"],
        "nowhere": NOWHERE,
    }
    before = await practice.events("coach", direct), await practice.events("coach", group)
    for case in [*NOBODY, *STRANGERS, *ASSISTANT, *ROLES]:
        with subtests.test(case.name):
            reply = await case.run(practice.app, practice.people, ids)
            assert "secret" not in reply.content.decode()
    after = await practice.events("coach", direct), await practice.events("coach", group)
    assert before == after


async def test_sockets_of_others_are_refused(practice: Practice, sockets: Sockets) -> None:
    direct = await practice.direct("coach", "client")
    inside = await sockets.plain(practice.app.url, practice.people["client"])
    for name, code in [("stranger", "not_found"), ("assistant", "forbidden")]:
        outside = await sockets.plain(practice.app.url, practice.people[name])
        for event, key, value in [
            ("send_message", "content", "Hello"),
            ("typing", "isTyping", True),
            ("mark_delivered", "messageId", NOWHERE),
            ("mark_read", "messageId", NOWHERE),
        ]:
            answer = await outside.call(event, {"conversationId": direct, key: value})
            assert not answer["ok"]
            assert answer["error"]["code"] == code
    assert (await inside.call("sync", {"after": None}))["ok"]
    assert inside.received == []


async def test_assistants_do_not_sync(practice: Practice, sockets: Sockets) -> None:
    socket = await sockets.plain(practice.app.url, practice.people["assistant"])
    answer = await socket.call("sync", {"after": None})
    assert answer["error"]["code"] == "forbidden"


async def test_dashboard_shows_what_waits(practice: Practice) -> None:
    direct = await practice.direct("coach", "client")
    await practice.send("coach", direct, "One")
    await practice.send("coach", direct, "Two")
    dashboard = (await practice.api("client").get("/dashboard", status=200)).data
    assert dashboard["unread"] == 2
    assert [c["id"] for c in dashboard["conversations"]] == [direct]
    assert dashboard["conversations"][0]["lastMessage"]["content"] == "Two"
    dashboard = (await practice.api("assistant").get("/dashboard", status=200)).data
    assert (dashboard["unread"], dashboard["conversations"]) == (0, [])


async def test_who_may_chat_no_longer_hears_nothing(practice: Practice, sockets: Sockets) -> None:
    """A coach who becomes an assistant is still a member, but the role reads no chat."""
    direct = await practice.direct("coach", "client")
    own = await practice.send("coach", direct, "A secret of two")
    role = {"role": "assistant"}
    await practice.api("owner").patch(f"/users/{practice.ids['coach']}", role, status=200)
    coach = await sockets.plain(practice.app.url, practice.people["coach"])
    client = await sockets.plain(practice.app.url, practice.people["client"])
    await practice.send("client", direct, "Another")
    assert (await client.call("typing", {"conversationId": direct, "isTyping": True}))["ok"]
    assert not (await coach.call("sync", {"after": None}))["ok"]
    assert coach.received == []
    for method, body in [("PATCH", SEND), ("DELETE", None)]:
        reply = await practice.api("coach").request(method, f"/messages/{own['id']}", body)
        assert (reply.status, reply.code) == (403, "forbidden")
