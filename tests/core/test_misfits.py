"""What JSON can write and nothing here can hold."""

import re

import pytest

from wellio.realtime.faults import ProtocolError
from wellio.realtime.packet import decode
from wellio.strict.misfits import has_long_number

RUNS = ["", "7" * 18, "7" * 19, "7" * 20, "0123456789" * 2, "1e18", "é" * 19, "٣" * 19, "7" * 60]


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("around", ["", "-", "x", "7x", '"', "é"])
def test_long_numbers_are_found_wherever_they_stand(run: str, around: str) -> None:
    for text in (run, around + run, run + around, f"{around}{run}x{run}{around}"):
        content = text.encode()
        assert has_long_number(content) == bool(re.search(rb"[0-9]{19}", content))


@pytest.mark.parametrize("rest", ["", "x]", "[" * 100_000, "NaN]"])
def test_a_long_number_in_what_is_no_json_is_the_peers_fault(rest: str) -> None:
    with pytest.raises(ProtocolError):
        decode('2["message",12345678901234567890,' + rest)
