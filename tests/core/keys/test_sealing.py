"""What is sealed opens only unchanged, for the same purpose and context, with a key of the ring."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellio import Crypto, WellioError
from wellio.keys.box import BoxError, open_box, shut
from wellio.keys.ring import MasterKey, MasterRing

OLD, NEW, STRANGE = (bytes(range(n, n + 32)) for n in (1, 2, 3))
ROOT = bytes(range(7, 39))
words = st.text(max_size=20)


def ring(*secrets: bytes) -> MasterRing:
    return MasterRing([MasterKey(secret) for secret in secrets])


@given(plain=st.binary(max_size=500), context=st.lists(words, max_size=3))
def test_a_box_gives_back_what_it_was_given(plain: bytes, context: list[str]) -> None:
    box = shut(NEW, plain, *context)
    assert open_box(NEW, box, *context) == plain
    assert shut(NEW, plain, *context) != box


@given(context=st.lists(words, max_size=3), other=st.lists(words, max_size=3))
def test_another_context_opens_nothing(context: list[str], other: list[str]) -> None:
    """And no two contexts run together into the same bytes."""
    if context != other:
        with pytest.raises(BoxError):
            open_box(NEW, shut(NEW, b"plain", *context), *other)


@given(st.binary(max_size=200))
def test_noise_opens_nothing(noise: bytes) -> None:
    with pytest.raises(BoxError):
        open_box(NEW, noise)
    with pytest.raises(WellioError, match="does not open"):
        ring(NEW, OLD).unseal("purpose", noise)


@dataclass
class Breaks:
    """Every way of changing some bytes by a little."""

    whole: bytes
    seen: int = field(default=0)

    def __iter__(self) -> Iterator[bytes]:
        for position in range(len(self.whole)):
            for bit in range(8):
                changed = bytearray(self.whole)
                changed[position] ^= 1 << bit
                yield bytes(changed)
            yield self.whole[:position]
            yield self.whole[:position] + self.whole[position + 1 :]
        yield self.whole + b"\0"


def test_every_flipped_bit_is_refused() -> None:
    sealed = ring(NEW).seal("purpose", b"a secret of somebody", "whose")
    accepted = 0
    for changed in Breaks(sealed):
        try:
            ring(NEW, OLD).unseal("purpose", changed, "whose")
            accepted += 1
        except WellioError:
            continue
    assert accepted == 0


@pytest.mark.parametrize(
    "keys, purpose, context",
    [
        ([STRANGE], "purpose", ["whose"]),
        ([NEW], "other", ["whose"]),
        ([NEW], "purpose", ["another's"]),
        ([NEW], "purpose", []),
    ],
)
def test_a_wrong_key_purpose_or_person_opens_nothing(
    keys: list[bytes], purpose: str, context: list[str]
) -> None:
    sealed = ring(NEW).seal("purpose", b"plain", "whose")
    with pytest.raises(WellioError, match=rf"stored secret \({purpose}\) does not open"):
        ring(*keys).unseal(purpose, sealed, *context)


def test_the_newest_key_seals_and_older_ones_open() -> None:
    old, both = ring(OLD), ring(NEW, OLD)
    assert both.unseal("a", old.seal("a", b"plain")) == b"plain"
    sealed = both.seal("a", b"plain")
    assert ring(NEW).unseal("a", sealed) == b"plain"
    with pytest.raises(WellioError, match="does not open"):
        old.unseal("a", sealed)


def test_sealing_anew_leaves_nothing_to_an_older_key() -> None:
    both = ring(NEW, OLD)
    newer = both.reseal("a", ring(OLD).seal("a", b"plain", "whose"), "whose")
    assert newer
    assert ring(NEW).unseal("a", newer, "whose") == b"plain"
    assert both.reseal("a", newer, "whose") is None
    with pytest.raises(WellioError, match="does not open"):
        both.reseal("a", ring(STRANGE).seal("a", b"plain"))


def test_each_purpose_has_a_key_of_its_own_that_no_master_key_changes() -> None:
    crypto = Crypto(ring(OLD), ROOT)
    assert crypto.derive("auth.refresh") == Crypto(ring(NEW), ROOT).derive("auth.refresh")
    assert crypto.derive("auth.refresh") != crypto.derive("auth.pepper")
    assert crypto.derive("auth.refresh") != Crypto(ring(OLD), OLD).derive("auth.refresh")
    assert len(crypto.derive("auth.refresh", 48)) == 48


def test_no_repr_shows_a_key() -> None:
    shown = f"{ring(NEW)!r} {ring(NEW).keys!r} {Crypto(ring(NEW), ROOT)!r}"
    for secret in (NEW, ROOT):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown
