"""Messages as they go out, encoded once: a page of history joins what earlier pages encoded."""

import orjson

from wellio import Row

from .models import message_wire

_MAX_CACHED = 4096


class EncodedMessages:
    """Keeps the JSON of messages that were lately read.

    What is kept is found by the whole row, so that it can never be out of date: an edit, a receipt
    or another viewer make another row.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], orjson.Fragment] = {}

    def encode(self, row: Row) -> orjson.Fragment:
        """Return a message's wire form as JSON, for a place in a larger answer.

        Args:
            row: A row of `store.messages`.
        """
        key = tuple(row)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = orjson.Fragment(orjson.dumps(message_wire(row)))
            if len(self._known) > _MAX_CACHED:
                del self._known[next(iter(self._known))]
        return known
