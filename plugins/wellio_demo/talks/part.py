"""Sends what was planned, as people do with their apps."""

from datetime import datetime
from typing import Final

from wellio_chat.ports import (
    Edit,
    HoldConversations,
    NewConversation,
    NewMember,
    NewMessage,
    SendMessages,
)
from wellio_chat.ports import Mark as Upto

from wellio import Demo, DemoPerson, IfMatch

from .groups import groups
from .talks import Diary, Mark, Talk, Utterance

_MOMENT_MS: Final = 45_000
_ASTRAY_MS: Final = 6_000


class TalksDemo:
    """Conversations of clients with their coaches, of groups, and of the staff.

    Attributes:
        talks: All of them, once they are planned.
    """

    def __init__(self, conversations: HoldConversations, messages: SendMessages) -> None:
        self._conversations, self._messages = conversations, messages
        self.talks: list[Talk] = []

    async def obstacle(self) -> str | None:
        """Return nothing: without accounts nobody has written."""
        return None

    def plan(self, demo: Demo) -> None:
        """Plan every conversation."""
        people = {person.key: person for person in demo.people}
        said: set[str] = set()
        for client in demo.having("client"):
            self.talks += Diary(demo, client, people, said).write()
        self.talks += groups(demo, said)
        for talk in self.talks:
            self._plan(demo, talk)

    def _plan(self, demo: Demo, talk: Talk) -> None:
        demo.at(_ms(talk.at), self._open, demo, talk, lane=talk.key)
        for at, person in talk.joins:
            demo.at(_ms(at), self._join, demo, talk, person, lane=talk.key)
        for at, person in talk.leaves:
            demo.at(_ms(at), self._leave, demo, talk, person, lane=talk.key)
        for said in talk.utterances:
            sent_at = _ms(said.at)
            demo.at(sent_at, self._send, demo, talk, said, lane=talk.key)
            if said.typed is not None:
                demo.at(sent_at + _MOMENT_MS, self._correct, demo, said, lane=talk.key)
            if said.is_astray:
                demo.at(sent_at + _ASTRAY_MS, self._delete, demo, said, lane=talk.key)
        for mark in talk.marks:
            demo.at(_ms(mark.at), self._mark, demo, talk, mark, lane=talk.key)

    async def _open(self, demo: Demo, talk: Talk) -> None:
        new = NewConversation(
            kind="group" if talk.title else "direct",
            member_ids=[person.user_id for person in talk.others],
            title=talk.title,
        )
        opened = await self._conversations.open(demo.actor(talk.opener), new)
        talk.id = opened.conversation.id

    async def _join(self, demo: Demo, talk: Talk, person: DemoPerson) -> None:
        actor = demo.actor(talk.opener)
        await self._conversations.add_member(actor, talk.id, NewMember(user_id=person.user_id))

    async def _leave(self, demo: Demo, talk: Talk, person: DemoPerson) -> None:
        actor = demo.actor(talk.opener)
        await self._conversations.remove_member(actor, talk.id, person.user_id)

    async def _send(self, demo: Demo, talk: Talk, said: Utterance) -> None:
        reply_to = said.quotes.id if said.quotes else None
        message = NewMessage(content=said.typed or said.text, reply_to=reply_to)
        sent = await self._messages.send(demo.actor(said.by), talk.id, message)
        said.id = sent.message["id"]

    async def _correct(self, demo: Demo, said: Utterance) -> None:
        await self._messages.edit(demo.actor(said.by), said.id, Edit(content=said.text), IfMatch())

    async def _delete(self, demo: Demo, said: Utterance) -> None:
        await self._messages.delete(demo.actor(said.by), said.id)

    async def _mark(self, demo: Demo, talk: Talk, mark: Mark) -> None:
        actor = demo.actor(mark.by)
        upto = Upto(message_id=mark.upto.id)
        await self._messages.mark(actor, talk.id, upto, is_read=mark.is_read)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
