"""Passwords: hashed with bcrypt off the event loop, and refused when they are common.

bcrypt reads 72 bytes at most, so a password is first reduced to base64(HMAC-SHA-384(pepper, it)),
64 bytes, under a key that is not in the database. Two threads at once and a short queue keep a
flood of logins from taking the box down with it: the rest get a 429.

A password is composed (NFC) first, since keyboards differ in how they encode an accent. Hashes from
before that was so are of what was typed then; so the other forms of a password are tried too.
"""

import asyncio
import base64
import hmac
import threading
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from wellio import TooManyRequests, Wellio, composed, invalid
from wellio_auth.config import AuthConfig

T = TypeVar("T")
THREADS = 2
QUEUE = 16
ZXCVBN_CHARS = 40
ZXCVBN_READINGS = 32
"""So many readings of signs as letters ("4" as "a") are tried; with both limits a check takes less
time than a hash."""
WEAK_SCORE = 1
_one_check = threading.Lock()  # zxcvbn keeps what is personal in a global


class Passwords:
    """Hashes and compares passwords, at most two at once."""

    def __init__(self, app: Wellio) -> None:
        self._cost = app.settings(AuthConfig).bcrypt_cost
        self._pepper = app.crypto.derive("auth.pepper")
        self._threads = ThreadPoolExecutor(THREADS, "wellio-passwords")
        self._pending = 0
        # As much work as a real hash of the present cost, and no password fits it.
        self._nobody = bcrypt.gensalt(self._cost) + b"." * 31

    async def hash(self, password: str) -> str:
        """Return what to store of a password.

        Raises:
            TooManyRequests: Too many passwords are being worked on.
        """
        return await self._run(self._hash, self._reduce(composed(password)))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Tell whether a password is the stored one; None takes as long and is False.

        Raises:
            TooManyRequests: Too many passwords are being worked on.
        """
        against = self._nobody if stored is None else stored.encode()
        for form in _forms(password):
            if await self._run(bcrypt.checkpw, self._reduce(form), against):
                return True
        return False

    def is_outdated(self, stored: str) -> bool:
        """Tell whether a hash was made at another cost than today's."""
        return not stored.startswith(f"$2b${self._cost:02}$")

    async def require_strong(self, pointer: str, password: str, *personal: str) -> None:
        """Refuse a password that is among the first million to be guessed.

        Args:
            pointer: Where the password stands in the request.
            password: The password, whose length is right already.
            personal: What else somebody would try first: name, e-mail address.

        Raises:
            Invalid: It is too easy to guess.
            TooManyRequests: Too many passwords are being worked on.
        """
        if await self._run(_is_weak, password, personal):
            raise invalid(
                pointer, "password_too_common", "is too easy to guess; several words are better"
            )

    def close(self) -> None:
        """Let the threads end; work that has not begun is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _reduce(self, password: str) -> bytes:
        mac = hmac.digest(self._pepper, password.encode(), "sha384")
        return base64.b64encode(mac)

    def _hash(self, reduced: bytes) -> str:
        return bcrypt.hashpw(reduced, bcrypt.gensalt(self._cost)).decode()

    async def _run(self, fn: Callable[..., T], *args: object) -> T:
        if self._pending >= THREADS + QUEUE:
            raise TooManyRequests("Many people are signing in; try again.", retry_after_s=1)
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, fn, *args)
        finally:
            self._pending -= 1


def _forms(password: str) -> Iterable[str]:
    """Return a password as it is hashed, and as keyboards may have typed it before."""
    return dict.fromkeys((composed(password), password, unicodedata.normalize("NFD", password)))


def _is_weak(password: str, personal: tuple[str, ...]) -> bool:
    # Its word lists take 20 MB, which most processes never need.
    from zxcvbn import matching, zxcvbn

    head = password[:ZXCVBN_CHARS]
    signs = matching.relevant_l33t_subtable(head, matching.L33T_TABLE)
    if len(matching.enumerate_l33t_subs(signs)) > ZXCVBN_READINGS:
        return False  # nobody's first million guesses hold so many signs of so many kinds
    with _one_check:
        score: int = zxcvbn(head, user_inputs=list(personal))["score"]
    return score <= WEAK_SCORE
