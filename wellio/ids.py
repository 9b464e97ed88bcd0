"""Identifiers: UUIDv7 as text (RFC 9562, 5.7), made by the server in the order of creation."""

import os
import re
import threading
import time

_CANONICAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_COUNTER_BITS = 42
_NOISE_BYTES = 9  # of each id; taken from the kernel in larger pieces, a call for each is slow
_lock = threading.Lock()
_noise = b""
_last_ms = 0
_counter = 0


def new_id() -> str:
    """Return a new UUIDv7, greater than every one this process made before.

    48 bits of milliseconds, then a 42-bit counter that starts at a random value each millisecond
    (RFC 9562, section 6.2, method 1), then 32 random bits.
    """
    global _noise, _last_ms, _counter  # noqa: PLW0603 - one counter per process keeps ids in order
    with _lock:
        if not _noise:
            _noise = os.urandom(_NOISE_BYTES * 256)
        noise = int.from_bytes(_noise[:_NOISE_BYTES], "big")
        _noise = _noise[_NOISE_BYTES:]
        now = time.time_ns() // 1_000_000
        if now > _last_ms:
            _last_ms = now
            _counter = (noise >> 32) & ((1 << (_COUNTER_BITS - 1)) - 1)
        else:
            _counter += 1
            if _counter >> _COUNTER_BITS:
                _last_ms += 1
                _counter = 0
        ms, count = _last_ms, _counter
    high = ms << 16 | 0x7000 | count >> 30
    low = 0b10 << 62 | (count & 0x3FFFFFFF) << 32 | noise & 0xFFFFFFFF
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_id(text: str) -> bool:
    """Tell whether a text is a UUID in its canonical, lower-case form."""
    return _CANONICAL.fullmatch(text) is not None
