"""Which members of an answer are not for everybody, and answers that show them all the same.

That no answer has a member which its model does not declare is checked with every request of every
test (`wellio.testing`): the models are closed, which `test_fields.py` sees to.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from tests.contract.world import person
from wellio.testing import Reply

_STAFF: Final = frozenset({"owner", "carl", "dana", "eve", "assistant"})
#: Who alone may be shown a member, wherever it turns up.
FOR: Final[Mapping[str, Collection[str]]] = {
    **dict.fromkeys(("lifecycle", "source", "tags", "metadata"), _STAFF),  # of a client's record
    **dict.fromkeys(("invitedBy", "coachId", "link"), _STAFF),  # of an invitation
    **dict.fromkeys(("scopes", "lastUsedAt", "key"), _STAFF),  # of an API key
}
#: Which calls alone may answer with a member: what it holds is told once.
ONCE: Final[Mapping[str, str]] = {
    "key": "POST /api/v1/api-keys",
    "link": "POST /api/v1/invitations",
}
#: What no answer of somebody who is signed in has.
_SECRET: Final = re.compile(r"password|hash|secret|token|pairkey|email_?ci", re.IGNORECASE)


def overexposed(reply: Reply, call: str, caller: str, user_id: str | None) -> Iterator[str]:
    """Find what somebody is shown that is not for them.

    Args:
        reply: What they got.
        call: For which call.
        caller: Who.
        user_id: Their account, or the one of a key's maker; None for nobody's.
    """
    if reply.status >= 400 or reply.data is None:
        return
    for item in _objects(reply.data):
        if item.get("status") and item.get("senderId", user_id) != user_id:
            yield "is shown how far somebody else's message got"
        for name in (name for name, value in item.items() if value is not None):
            if person(caller) not in FOR.get(name, {person(caller)}):
                yield f"is shown {name}"
            if ONCE.get(name, call) != call:
                yield f"is told {name} again"
            if _SECRET.search(name):
                yield f"is shown {name}"


def _objects(data: Any) -> Iterator[Mapping[str, Any]]:
    """Find every object in an answer, but not in what people store free-form."""
    if isinstance(data, list):
        for item in data:
            yield from _objects(item)
    elif isinstance(data, dict):
        yield data
        for name, value in data.items():
            if name != "metadata":
                yield from _objects(value)
