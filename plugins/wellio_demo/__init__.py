"""The demo practice: made-up people, what their records say, and what they write to each other.

`wellio serve --demo` has them live two years through the same services that serve requests. Each
room is one part of that life: `people` (accounts), `records` (the practice) and `talks` (chat).
They reach the other plugins by their ports alone, so those know nothing of it.
"""

from collections.abc import Sequence

from wellio import DemoPart, Plugin, Wellio, __version__, hookimpl

__all__ = ["PLUGIN"]

PLUGIN = Plugin(
    name="demo",
    version=__version__,
    summary="The made-up practice of `wellio serve --demo`.",
    requires=("auth",),
    after=("practice", "chat"),
)


@hookimpl
def register_demo(app: Wellio) -> Sequence[DemoPart]:
    """Bring the people, and their records and conversations where those plugins are loaded."""
    from wellio_chat.ports import HoldConversations, SendMessages
    from wellio_practice.ports import KeepClients, KeepSettings, KeepTags

    from .people.part import PeopleDemo
    from .records.part import RecordsDemo
    from .talks.part import TalksDemo

    parts: list[DemoPart] = [PeopleDemo(app)]
    settings = app.service(KeepSettings, optional=True)
    tags, clients = app.service(KeepTags, optional=True), app.service(KeepClients, optional=True)
    if settings and tags and clients:
        parts.append(RecordsDemo(settings, tags, clients))
    conversations = app.service(HoldConversations, optional=True)
    messages = app.service(SendMessages, optional=True)
    if conversations and messages:
        parts.append(TalksDemo(conversations, messages))
    return parts
