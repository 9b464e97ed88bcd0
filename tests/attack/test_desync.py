"""A3: requests that two servers could read in two ways, to a real server.

`tests/core/http/test_raw_http.py` has the corpus of what is malformed. Here every way of saying how
long a body is meets every way of saying that it is chunked, with a request hidden behind it. A
proxy that reads them otherwise than we do would take the hidden one for a body; so it is never
answered, unless there is one way only to read what stands before it.
"""

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import dataclass
from typing import Final

import pytest

from tests.attack.target import Target
from tests.attack.wire import TRACES, exchange
from wellio.testing.engines import EngineName

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE: Final = 40
MARK: Final = b"smuggled-request-00000001"
HIDDEN: Final = (
    b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: %b\r\nConnection: close\r\n\r\n" % MARK
)
#: Read in chunks, this is an empty body and the hidden request behind it.
BODY: Final = b"0\r\n\r\n" + HIDDEN
METHODS: Final = ("POST /api/v1/auth/login", "GET /livez", "HEAD /livez", "DELETE /livez")
CHUNKED: Final = (
    "Transfer-Encoding: chunked",
    "transfer-encoding:CHUNKED  ",
    "Transfer-Encoding:\tchunked",
)
OTHER_CODINGS: Final = (
    *(
        "xchunked",
        "chunkedx",
        "chun\x00ked",
        "\x0bchunked",
        "chunked\x0b",
        "\x0cchunked",
        "\xa0chunked",
    ),
    *('"chunked"', "'chunked'", "chunked;a=b", "chunked,", ",chunked", "chunked, chunked", ""),
    *("identity", "identity, chunked", "gzip, chunked", "chunked, identity", "chunk\u212aed"),
)
CODINGS: Final = (
    *("", *CHUNKED, *(f"Transfer-Encoding: {value}" for value in OTHER_CODINGS)),
    *("Transfer-Encoding : chunked", " Transfer-Encoding: chunked", "Transfer-Encoding\t: chunked"),
    *("Transfer-Encoding:\r\n chunked", "X: y\r\n\tTransfer-Encoding: chunked"),
    *("X: y\nTransfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked"),
    *("Transfer\x00-Encoding: chunked", "Transfer_Encoding: chunked"),
    *(
        f"Transfer-Encoding: {one}\r\nTransfer-Encoding: {other}"
        for one, other in itertools.product(("chunked", "identity"), repeat=2)
    ),
)
OTHER_LENGTHS: Final = (
    *("0", "{n}", "+{n}", "-5", "{n}, {n}", "{n}a", "0x5", "5 5", "\x0b{n}", "1e1", "{n}.0", "5,"),
    *("", "{n}\r\nContent-Length: 5", "5\r\nContent-Length: {n}", "\r\n {n}"),
)
LENGTHS: Final = (
    *("", "Content-Length: 5", "Content-Length: 00005", "Content_Length: {n}"),
    *("Content-Length : {n}", "X: y\nContent-Length: {n}"),
    *(f"Content-Length: {value}" for value in OTHER_LENGTHS),
)
#: Both say in one way only where the body ends, which is before the hidden request.
ALONE: Final = ("Content-Length: 5", "Content-Length: 00005")
NOTHING_SAID: Final = ("", "Transfer_Encoding: chunked", "Content_Length: {n}")


@dataclass(frozen=True, slots=True)
class Case:
    """One of them."""

    request: str
    version: str
    coding: str
    length: str

    @property
    def data(self) -> bytes:
        """Return the request and what hides behind it."""
        lines = [f"{self.request} HTTP/{self.version}", "Host: x", "Content-Type: application/json"]
        lines += [line for line in (self.coding, self.length.format(n=len(BODY))) if line]
        return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + BODY

    @property
    def is_plain(self) -> bool:
        """Tell whether everybody reads the same: the hidden request is one of its own."""
        by_length = self.length in ALONE and self.coding in NOTHING_SAID
        by_chunks = self.coding in CHUNKED and self.length in NOTHING_SAID
        return by_length or (by_chunks and self.version == "1.1")


EVERY: Final = [
    Case(*parts) for parts in itertools.product(METHODS, ("1.1", "1.0"), CODINGS, LENGTHS)
]


@pytest.fixture(scope="module")
def engine() -> EngineName:
    """Run on one engine: nothing here gets as far as a database."""
    return "sqlite"


async def test_some_hidden_requests_are_not_found(server: Target, seed: int) -> None:
    some = random.Random(seed).sample(EVERY, 1500)  # noqa: S311 - reproducible, not secret
    await smuggle(server, some, seed)


@pytest.mark.prove
@pytest.mark.timeout(1500)
async def test_no_hidden_request_is_found(server: Target, seed: int) -> None:
    await smuggle(server, EVERY, seed)


async def smuggle(server: Target, cases: list[Case], seed: int) -> None:
    turn, rng = asyncio.Semaphore(AT_ONCE), random.Random(seed)  # noqa: S311 - as above
    found, first, hidden = [], Counter[str](), Counter[bool]()

    async def send(case: Case) -> None:
        data = case.data
        cut = rng.randrange(1, len(data))
        parts = (data,) if rng.random() < 0.5 else (data[:cut], data[cut:])
        async with turn:
            got = await exchange(server.port, *parts, pause_s=0.01)
        first[str(got.statuses[0]) if got.statuses else "cut"] += 1
        is_answered = any(MARK in answer for answer in got.answers)
        hidden[is_answered] += 1
        if is_answered and not case.is_plain:
            found.append(f"smuggled: {case}")
        if got.seconds > 5 or any(
            it >= 500 or TRACES.search(a) for it, a in zip(got.statuses, got.answers, strict=True)
        ):
            found.append(f"{got}: {case}")

    await asyncio.gather(*map(send, cases))
    print(
        f"\nA3 {len(cases)} framings: first answers {dict(first)}, hidden ones found {hidden[True]}"
    )
    assert not found, "\n".join(found[:99])
    assert hidden[True] > 0  # those that everybody finds


async def test_plain_cases_are_few() -> None:
    assert 0 < sum(case.is_plain for case in EVERY) < len(EVERY) / 50
