"""A practice at work in this process, and what its event loop's thread did that may block.

`python -m tests.e2e.hygiene FOLDER` prints, as JSON, each blocking call on the loop's thread after
the start: the audit event or function, and the place in our code. An audit hook cannot be taken
back, so this is a process of its own. What is watched: files, processes, name look-ups, SQLite,
sleeping, and bcrypt.
"""

import asyncio
import json
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import bcrypt

from wellio.testing.apps import TestApp
from wellio.testing.users import Users

#: Audit events that mean waiting for a disk, a process or the network.
BLOCKING = (
    "open", "os.", "shutil.", "socket.getaddrinfo", "socket.gethostbyname", "socket.connect",
    "sqlite3.", "subprocess.", "tempfile.", "glob.",
)  # fmt: skip
HARMLESS = {"os.listxattr", "os.putenv", "os.unsetenv"}


class Watch:
    """Notes what one thread does."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.is_on = False
        self.seen: list[dict[str, str]] = []
        sys.addaudithook(self._hook)

    def note(self, what: str) -> None:
        if not self.is_on or threading.get_ident() != self.thread:
            return
        self.is_on = False  # the lines of the stack are read from files
        frames = [frame for frame in traceback.extract_stack()[:-2] if "wellio" in frame.filename]
        self.is_on = True
        where = f"{Path(frames[-1].filename).name}:{frames[-1].name}" if frames else "?"
        self.seen.append({"what": what, "where": where})

    def _hook(self, event: str, _: tuple[Any, ...]) -> None:
        if self.is_on and event.startswith(BLOCKING) and event not in HARMLESS:
            self.note(event)

    @contextmanager
    def calls(self, owner: Any, *names: str) -> Iterator[None]:
        """Note calls of functions, too: those that raise no audit event."""

        def noting(function: Callable[..., Any], name: str) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                self.note(name)
                return function(*args, **kwargs)

            return call

        patches = [patch.object(owner, name, noting(getattr(owner, name), name)) for name in names]
        for one in patches:
            one.start()
        yield
        for one in patches:
            one.stop()


async def work(app: TestApp) -> None:
    """Do what people do all day: sign in, talk, look, store, and look after the machine."""
    users = Users()
    coach = await users.make(app, "coach")
    client = await users.make(app, "client", coach=coach)
    ours = app.api.as_(coach)
    body = {"kind": "direct", "memberIds": [client.id]}
    room = (await ours.post("/conversations", body, status=201)).data["id"]
    for number in range(30):
        text = {"content": f"Hello {number}", "localId": str(number)}
        await ours.post(f"/conversations/{room}/messages", text, status=201)
    for path in ("/conversations", f"/conversations/{room}/messages", "/clients", "/dashboard"):
        await ours.get(path, status=200)
    for path in ("//health", "//metrics", "//openapi.json", "//docs"):
        await app.api.request("GET", path)
    stored = await app.app.storage.put(_content(), max_bytes=10_000_000)
    assert [piece async for piece in app.app.storage.read(stored.key)]
    await app.app.storage.delete(stored.key)
    await app.app.bus.settled()


async def _content() -> AsyncIterator[bytes]:
    for _ in range(5):
        yield b"x" * 100_000


def _block(folder: Path) -> None:
    """Do what must be seen."""
    (folder / "wellio.lock").read_text()
    time.sleep(0)


async def main(folder: Path) -> None:
    """Start, work twice, and print what the second time did: the first may still load modules."""
    watch = Watch()
    app = TestApp({"data_dir": str(folder)})
    await app.start()
    await work(app)
    with watch.calls(bcrypt, "hashpw", "checkpw"), watch.calls(time, "sleep"):
        watch.is_on = True
        await work(app)
        if "--block" in sys.argv:
            _block(folder)
        watch.is_on = False
    await app.stop()
    print(json.dumps(watch.seen))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
