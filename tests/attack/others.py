"""People who go on talking while somebody attacks, in a process of their own.

    python -m tests.attack.others URL GROUP TOKEN...

Each talks in the group, on one protocol and the other in turn, until standard input ends; then the
answers' times are printed: `[[monotonic seconds, seconds it took], ...]`. Who gets no good answer
ends it.
"""

import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import aiohttp

from tests.children import child
from tests.fault.server import ROOT
from tests.fault.sockets import PlainSocket, Socket, SocketIo
from wellio.testing.deadline import DEADLINE_S

_PAUSE_S: Final = 0.04
_KINDS: Final[tuple[type[Socket], ...]] = (SocketIo, PlainSocket)
Answers = list[tuple[float, float]]


@contextlib.asynccontextmanager
async def talking(url: str, group: str, *tokens: str) -> AsyncIterator[Callable[[], Any]]:
    """Let people talk until the block's function is awaited; it returns the answers' times."""
    async with child(
        *(sys.executable, "-m", __name__, url, group, *tokens),
        limit_s=None,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    ) as process:
        assert process.stdout
        async with asyncio.timeout(DEADLINE_S):
            assert await process.stdout.readline() == b"talking\n"

        async def answers() -> Answers:
            async with asyncio.timeout(DEADLINE_S):
                output, _ = await process.communicate(b"")  # which closes it
            assert process.returncode == 0
            return [(at, took) for at, took in json.loads(output)]

        yield answers


def p99_ms(answers: Answers, since: float, until: float) -> float:
    """Return what 99 of 100 answers took at most, of those that came in a time."""
    took = sorted(took for at, took in answers if since <= at <= until)
    return took[int(len(took) * 0.99)] * 1000


async def _talk(socket: Socket, group: str, answers: Answers) -> None:
    for number in itertools.count():
        started = time.monotonic()
        data = {"conversationId": group, "content": f"message {number}"}
        assert (await socket.call("send_message", data))["ok"]
        answers.append((time.monotonic(), time.monotonic() - started))
        await asyncio.sleep(_PAUSE_S)


async def _main(url: str, group: str, *tokens: str) -> None:
    answers: Answers = []
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as people:
        tasks = []
        for kind, token in zip(itertools.cycle(_KINDS), tokens, strict=False):
            socket = await kind.open(http, url, token, lambda event, data: None)
            tasks.append(people.create_task(_talk(socket, group, answers)))
        print("talking", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
    print(json.dumps(answers))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
