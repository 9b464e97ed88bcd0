"""The race that `If-Match` is there for: many change one state at once, and one of them may."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any

from .client import Api, Reply


async def race(api: Api, path: str, bodies: Iterable[Any]) -> list[Reply]:
    """Send PATCHes at once that all insist on the object's present state; fail unless one wins.

    A check outside of the transaction, or before the row is locked, lets several win, and all but
    the last of these changes are lost. On SQLite, where one writes at a time, that can stay
    unseen: run it on both engines.

    Args:
        api: Who changes the object.
        path: Where it is read and changed.
        bodies: What each of them sends; each changes the object, to a state of its own.

    Returns:
        Their answers, in the order of the bodies: one 200, as the object is read now, and 412s.
    """
    sent = list(bodies)
    # At once too, so that each has a connection then and none of the PATCHes waits for one.
    reads = await asyncio.gather(*(api.get(path, status=200) for _ in sent))
    insist = {"If-Match": reads[0].headers["ETag"]}
    replies = await asyncio.gather(*(api.patch(path, body, headers=insist) for body in sent))
    counted = Counter(reply.status for reply in replies)
    assert counted == {200: 1, 412: len(replies) - 1}, f"of those who insist one wins: {counted}"
    [winner] = [reply for reply in replies if reply.status == 200]
    now = await api.get(path, status=200)
    assert (now.content, now.headers["ETag"]) == (winner.content, winner.headers["ETag"])
    return replies
