"""Ids are UUIDv7, grow, and stay unique whoever asks for them at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from wellio import is_id, new_id


def test_an_id_is_a_uuid_of_version_7_that_holds_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(new_id())
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= after + 1


def test_ids_grow_in_the_order_in_which_they_are_made() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_threads_never_make_the_same_id() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: new_id(), range(20_000)))
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01a20772-1225-73e4-a6d8-513d962f6fde", True),
        ("01A20772-1225-73E4-A6D8-513D962F6FDE", False),
        ("01a20772122573e4a6d8513d962f6fde", False),
        ("01a20772-1225-73e4-a6d8-513d962f6fde\n", False),
        ("../../etc/passwd", False),
        ("", False),
    ],
)
def test_only_the_canonical_form_is_an_id(text: str, expected: bool) -> None:
    assert is_id(text) is expected
