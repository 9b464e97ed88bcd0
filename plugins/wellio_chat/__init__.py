"""The chat: conversations, messages, receipts, catch-up, typing and presence.

Rooms: `conversations` (`ledger` numbers and logs, `broadcast` tells the members at once),
`messages` (`append` is the hot path) and `presence`. Other plugins import events.
"""

from collections.abc import AsyncIterator, Mapping, Sequence

from wellio import (
    DashboardSection,
    Event,
    EventBus,
    Permission,
    PersonalData,
    Plugin,
    Policy,
    Wellio,
    hookimpl,
)

from .config import ChatConfig

__all__ = ["PLUGIN"]

PLUGIN = Plugin(
    name="chat",
    version="0.1.0",
    summary="Conversations, messages, receipts, catch-up, typing and presence.",
    requires=("auth", "practice"),
    config=ChatConfig,
    migrations=("wellio_chat",),
)


@hookimpl
def register_events() -> Sequence[type[Event]]:
    """Offer what happens in conversations."""
    from .events import EVENTS

    return EVENTS


@hookimpl
def register_services(app: Wellio) -> Mapping[type, type]:
    """Provide `wellio_chat.ports`."""
    from .conversations.service import ConversationService
    from .messages.service import MessageService
    from .ports import HoldConversations, SendMessages

    return {SendMessages: MessageService, HoldConversations: ConversationService}


@hookimpl
def register_permissions() -> Sequence[Permission]:
    """Offer the chat's permissions."""
    from .permissions import PERMISSIONS

    return PERMISSIONS


@hookimpl
def register_policies(app: Wellio) -> Sequence[Policy]:
    """Offer the rules of the kinds `conversation` and `message`."""
    from .policies import ConversationPolicy, MessagePolicy

    return [ConversationPolicy(app), MessagePolicy(app)]


@hookimpl
def register_routes(app: Wellio) -> Sequence[object]:
    """Serve `/conversations` and `/messages`."""
    from .conversations import api as conversations
    from .messages import api as messages

    return [*conversations.routes(app), *messages.routes(app)]


@hookimpl
def register_subscribers(app: Wellio, bus: EventBus) -> None:
    """End memberships with what they were for."""
    from .conversations.subscribers import CareTeam

    CareTeam(app, bus)


@hookimpl
def register_socket_events(app: Wellio) -> Sequence[object]:
    """Answer what clients send over their sockets, and say what goes to them."""
    from .conversations.broadcast import Broadcast
    from .messages.catchup import CatchUpService
    from .messages.service import MessageService
    from .messages.sockets import MessageSockets
    from .presence.broadcast import Hints
    from .presence.service import PresenceService
    from .presence.sockets import PresenceSockets

    app.settings(ChatConfig).require_room(app.config.realtime.max_payload_bytes)
    return [
        MessageSockets(app.service(MessageService), app.service(CatchUpService)),
        PresenceSockets(app.service(PresenceService)),
        app.service(Broadcast),
        app.service(Hints),
    ]


@hookimpl
def register_dashboard(app: Wellio) -> Sequence[DashboardSection]:
    """Offer `unread` and `conversations`."""
    from .conversations.service import ConversationService
    from .dashboard import ConversationsSection, UnreadSection

    conversations = app.service(ConversationService)
    return [UnreadSection(conversations), ConversationsSection(conversations)]


@hookimpl
def register_personal_data(app: Wellio) -> Sequence[PersonalData]:
    """Hand out and take away what people wrote."""
    from .personal_data import ChatData

    return [ChatData(app)]


@hookimpl
async def lifespan(app: Wellio) -> AsyncIterator[None]:
    """Tell people's contacts when they come and go."""
    from .presence.service import PresenceService

    presence = app.service(PresenceService)
    app.hub.on_presence(presence.changed)
    yield
    await presence.close()
