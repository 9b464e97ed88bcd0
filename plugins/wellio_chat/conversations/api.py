"""REST: conversations and their members."""

from collections.abc import Sequence

from wellio import NotFound, Reply, Wellio, call, created

from . import wire
from .models import Conversation, ConversationPage, Opened
from .service import ConversationService, GroupFull, NotAGroup

_PLACE = "/api/v1/conversations/{id}"


def routes(app: Wellio) -> Sequence[object]:
    """Serve `/conversations` and who is in them."""
    conversations = app.service(ConversationService)
    return [*_whole(conversations), *_members(conversations)]


def _whole(conversations: ConversationService) -> Sequence[object]:
    return [
        call(
            "GET",
            "/conversations",
            conversations.inbox,
            returns=ConversationPage,
            reply=wire.inbox,
            permission="chat.read",
        ),
        call(
            "POST",
            "/conversations",
            conversations.open,
            returns=Conversation,
            also=(200,),
            reply=_opened,
            permission="chat.send",
            errors=(NotFound,),
        ),
        call(
            "GET",
            "/conversations/{id}",
            conversations.read,
            returns=Conversation,
            wire=wire.conversation,
            permission="chat.read",
        ),
    ]


def _members(conversations: ConversationService) -> Sequence[object]:
    return [
        call(
            "POST",
            "/conversations/{id}/members",
            conversations.add_member,
            returns=Conversation,
            wire=wire.conversation,
            location=_PLACE,
            object=("conversation", "id"),
            action="manage",
            scope="chat.manage_groups",
            errors=(NotAGroup, GroupFull),
        ),
        call(
            "DELETE",
            "/conversations/{id}/members/{user_id}",
            conversations.remove_member,
            object=("conversation", "id"),
            scope="chat.manage_groups",
            errors=(NotAGroup,),
        ),
    ]


def _opened(opened: Opened) -> Reply:
    """Answer 201 with a new conversation, 200 with the direct one that was there."""
    conversation = wire.conversation(opened.conversation)
    if not opened.is_new:
        return Reply(conversation, status=200)
    return created(conversation, _PLACE.format_map(conversation))
