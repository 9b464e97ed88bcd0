"""The reference server and peers for it."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.realtime.peers import Peer
from tests.realtime.reference_server import SETTINGS, create_app

PATIENT = replace(SETTINGS, ping_interval_ms=60_000, ping_timeout_ms=60_000, connect_timeout_s=60.0)
Serve = Callable[[web.Application], Awaitable[Peer]]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a peer does may be an error of ours; a test that causes one clears it."""
    yield
    records = caplog.get_records("call")
    errors = [r for r in records if r.levelno >= logging.WARNING and r.name != "witness"]
    assert not errors, [r.getMessage() for r in errors]


@pytest.fixture
async def serve(
    aiohttp_server: Callable[[web.Application], Awaitable[TestServer]],
) -> AsyncIterator[Serve]:
    """Start an application and return a peer of it."""
    async with aiohttp.ClientSession() as http:

        async def start(app: web.Application) -> Peer:
            return Peer(await aiohttp_server(app), http)

        yield start


@pytest.fixture
async def peer(serve: Serve) -> Peer:
    """A peer of the reference server in no hurry: no ping and no deadline passes in a test."""
    return await serve(create_app(PATIENT))


@pytest.fixture
async def hasty_peer(serve: Serve) -> Peer:
    """A peer of the reference server as the public suites want it, with its quick times."""
    return await serve(create_app())
