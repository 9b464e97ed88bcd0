"""Of wellio_chat: conversations and messages, over HTTP and sockets."""

from wellio.testing import Rule, Rules, Thing
from wellio.testing.rules import CHATTING, STAFF

CONVERSATION, MESSAGE = "/api/v1/conversations/{id}", "/api/v1/messages/{id}"
MEMBER = CONVERSATION + "/members/{userId}"
DIRECT = {"kind": "direct", "memberIds": ["{member}"]}
GROUP = {"kind": "group", "memberIds": ["{member}"], "title": "Walkers"}
HELLO = {"content": "Hello"}
IN = {"conversationId": "{direct}"}

CHAT = Rules(
    "chat",
    rules=(
        Rule("GET /api/v1/conversations", CHATTING, role=CHATTING),
        Rule(
            "POST /api/v1/conversations",
            "owner carl",
            (200, 201),
            role=CHATTING,
            body=DIRECT,
            but={"own mia": 422},
        ),
        *(
            Rule(
                "POST /api/v1/conversations",
                yes,
                (200, 201),
                role=CHATTING,
                body=DIRECT | {"memberIds": [f"{{{whom}}}"]},
                but={f"own {themself}": 422} if themself else {},
            )
            for whom, yes, themself in (
                ("coach", "owner dana mia max", "carl"),
                ("owner", "carl dana", "owner"),
                ("assistant", "", ""),
            )
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
            never="deleted",
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
        Rule(
            f"POST {CONVERSATION}/read",
            "",
            role=CHATTING,
            ids={"id": "direct"},
            body={"messageId": "{elsewhere}"},
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
    ),
    events=(
        Rule("send_message", "carl mia", role=CHATTING, body=IN | {"content": "chat-of-{half}"}),
        Rule("typing", "carl mia", role=CHATTING, body=IN | {"isTyping": True}),
        Rule("mark_delivered", "carl mia", role=CHATTING, body=IN | {"messageId": "{message}"}),
        Rule("mark_read", "carl mia", role=CHATTING, body=IN | {"messageId": "{message}"}),
        Rule("sync", CHATTING, role=CHATTING, body={"after": None}),
    ),
    scopes={
        **dict.fromkeys(
            (
                *("GET /api/v1/conversations", f"GET {CONVERSATION}"),
                *(f"GET {CONVERSATION}/messages", f"POST {CONVERSATION}/read"),
                *(f"GET {CONVERSATION}/events", f"GET {MESSAGE}"),
                *("mark_delivered", "mark_read", "sync"),
            ),
            "chat.read",
        ),
        **dict.fromkeys(
            (
                *("POST /api/v1/conversations", f"POST {CONVERSATION}/messages"),
                *(f"PATCH {MESSAGE}", f"DELETE {MESSAGE}", "send_message", "typing"),
            ),
            "chat.send",
        ),
        **dict.fromkeys((f"POST {CONVERSATION}/members", f"DELETE {MEMBER}"), "chat.manage_groups"),
    },
    things={
        "direct": Thing("/conversations", DIRECT),
        "group": Thing(
            "/conversations",
            {"kind": "group", "memberIds": ["{member}", "{eve}"], "title": "chat-of-{half}"},
        ),
        "elsewhere": Thing(
            "/conversations/{group}/messages", {"content": "chat-of-{half}"}, gone="/messages"
        ),
        "message": Thing(
            "/conversations/{direct}/messages",
            {"content": "chat-of-{half}"},
            gone="/messages",
            stays=True,
        ),
    },
    secrets={"chat-of-carls": {"carl", "mia", "eve"}, "chat-of-danas": {"dana", "noah", "eve"}},
    needs=dict.fromkeys(
        ("content", "lastMessage", "unread", "members", "chat-of-carls", "chat-of-danas"),
        "chat.read",
    ),
)
