"""`docs/sockets.md`: what clients may send over Socket.IO and `/ws`."""

from docs.generator import text
from docs.generator.text import fields
from wellio import Wellio
from wellio.realtime import EventRouter

_INTRODUCTION = """\
Over Socket.IO and over `/ws` a client sends the same events with the same data, and each is acknowledged: `{"ok": true, ...}`, or `{"ok": false, "error": problem}`. A question mark stands behind what may be left out. [api.md](api.md) says how a connection is opened and what the server sends."""  # noqa: E501 - a paragraph is a line


def page(app: Wellio) -> str:
    """Return the page."""
    rows = [
        (
            f"`{event.name}`",
            fields(event.body) if event.body is not None else "",
            f"`{event.permission}`" if event.permission else "",
        )
        for event in EventRouter(app.hooks.of("register_socket_events")).events
    ]
    head = ("Event", "Data", "Permission")
    return text.page("Socket events", _INTRODUCTION, text.table(head, rows))
