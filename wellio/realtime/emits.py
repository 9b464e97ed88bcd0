"""What the server sends, declared by who sends it.

    @emits("typing", TypingHint)
    @emits("presence", Presence)
    class Hints:
        '''Sends hints to people who may read conversations.'''

A declaration is documentation (`docs/sockets.md`, `/openapi.json`), and tests hold every event
against it (`wellio.testing`). Nothing of it runs when an event is sent.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pydantic

_MARK = "__server_events__"
C = TypeVar("C", bound=type)


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event that the server sends.

    Attributes:
        name: Its name on the wire.
        data: The model of what it carries; its docstring says when it is sent.
    """

    name: str
    data: type[pydantic.BaseModel]


def emits(name: str, data: type[pydantic.BaseModel]) -> Callable[[C], C]:
    """Declare an event that objects of a class send to clients, by `app.hub` or `client.emit`.

    `register_socket_events` returns such an object among those that answer.

    Args:
        name: The event's name on the wire.
        data: The model of what it carries; its docstring says when it is sent.
    """

    def mark(cls: C) -> C:
        setattr(cls, _MARK, (ServerEvent(name, data), *vars(cls).get(_MARK, ())))
        return cls

    return mark


def emitted_by(cls: type) -> Iterator[ServerEvent]:
    """Yield what a class and its bases declare."""
    for base in cls.__mro__:
        yield from vars(base).get(_MARK, ())
