"""Whose request it is: the peer's, or whom the proxies that are trusted vouch for."""

from collections.abc import Sequence
from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from wellio.http.remote import ForwardedHeader, Proxies, network_of

NETWORKS = [ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
XFF, FORWARDED = "X-Forwarded-For", "Forwarded"


def client_of(
    peer: str,
    headers: Sequence[tuple[str, str]],
    read: ForwardedHeader = "x-forwarded-for",
    *,
    is_trusting: bool = True,
) -> str:
    request = make_mocked_request("GET", "/", headers=CIMultiDict(headers)).clone(remote=peer)
    return Proxies(NETWORKS if is_trusting else [], read).client_of(request)


@pytest.mark.parametrize(
    "peer, lines, client",
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("::ffff:127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        ("127.0.0.1", ["192.0.2.7", "10.1.2.3"], "192.0.2.7"),
        ("127.0.0.1", ["10.9.9.9, 10.1.2.3"], "10.9.9.9"),
        ("127.0.0.1", ["192.0.2.7:4711"], "192.0.2.7"),
        ("127.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("127.0.0.1", ["[2001:db8::7]:4711, fd00::1"], "2001:db8::7"),
        ("127.0.0.1", ["::ffff:192.0.2.7"], "192.0.2.7"),
        # What the client itself wrote stands before what the proxy wrote.
        ("127.0.0.1", ["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["10.0.0.1, 192.0.2.7"], "192.0.2.7"),
        # Nobody whom we trust says anything.
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        ("192.0.2.1", ["10.0.0.1"], "192.0.2.1"),
        ("", ["198.51.100.1"], ""),
        # Nonsense says nothing, and neither does what stands before it.
        ("127.0.0.1", ["198.51.100.1, unknown"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, , 10.0.0.1"], "10.0.0.1"),
        ("127.0.0.1", ["198.51.100.1,"], "127.0.0.1"),
        ("127.0.0.1", ["256.1.1.1"], "127.0.0.1"),
        ("127.0.0.1", ["[::1"], "127.0.0.1"),
        ("127.0.0.1", ["," * 8000], "127.0.0.1"),
    ],
)
def test_x_forwarded_for(peer: str, lines: list[str], client: str) -> None:
    assert client_of(peer, [(XFF, line) for line in lines]) == client


@pytest.mark.parametrize(
    "lines, client",
    [
        (["for=192.0.2.7"], "192.0.2.7"),
        (['For="[2001:db8::7]:4711";proto=https, for=10.0.0.1;by=10.0.0.2'], "2001:db8::7"),
        (["for=198.51.100.1", "for=192.0.2.7"], "192.0.2.7"),
        (["for=198.51.100.1, for=_hidden"], "127.0.0.1"),
        (["for=198.51.100.1, proto=http"], "127.0.0.1"),
        (["nonsense"], "127.0.0.1"),
        (["for=198.51.100.1", 'for="192.0.2.7"'], "192.0.2.7"),
    ],
)
def test_forwarded(lines: list[str], client: str) -> None:
    assert client_of("127.0.0.1", [(FORWARDED, line) for line in lines], "forwarded") == client


ODD_HOPS = [
    *("[192.0.2.7", "192.0.2.7:http", "[2001:db8::7]x", "fe80::1%eth0", '"192.0.2.7"'),
    "\u0661\u0669\u0662.0.2.7",
]
#: What a client writes comes first, before what the proxy writes.
ODD_ELEMENTS = [
    ['for=198.51.100.1;x="', 'for="192.0.2.7"'],
    ['for=198.51.100.1;x="', 'for="[2001:db8::7]:4711";proto=https'],
    ['for="198.51.100.1', "for=192.0.2.7"],
    ['for="198.51.100.1, for=192.0.2.7'],
    ['for=198.51.100.1;x="\\', 'for="192.0.2.7"'],
    ["for=198.51.100.1;for=198.51.100.2"],
    ["for=198.51.100.1;", "for=192.0.2.7"],
    ["for=198.51.100.1", "", "for=192.0.2.7"],
    ["for=192.0.2.7,"],
    ["for=2001:db8::7"],
    ['for="2001:db8::7]"'],
    ['for = "192.0.2.7"'],
    ['for="192.0.2.7:_gate"'],
    [',;="' * 2000],
    ["for=198.51.100.1;a=b" * 1500],
]


def test_where_anything_is_odd_the_proxy_alone_is_believed() -> None:
    for hop in ODD_HOPS:
        assert client_of("127.0.0.1", [(XFF, hop)]) == "127.0.0.1", hop
    for lines in ODD_ELEMENTS:
        headers = [(FORWARDED, line) for line in lines]
        assert client_of("127.0.0.1", headers, "forwarded") == "127.0.0.1", lines


def test_the_header_that_the_proxies_do_not_write_is_the_clients_own_word() -> None:
    both = [(XFF, "192.0.2.7"), (FORWARDED, "for=198.51.100.1")]
    assert client_of("127.0.0.1", both, "x-forwarded-for") == "192.0.2.7"
    assert client_of("127.0.0.1", both, "forwarded") == "198.51.100.1"
    assert client_of("127.0.0.1", both, is_trusting=False) == "127.0.0.1"


@pytest.mark.parametrize(
    "one, other, is_same",
    [
        ("192.0.2.7", "192.0.2.250", True),
        ("192.0.2.7", "192.0.3.7", False),
        ("2001:db8::1", "2001:db8::ffff:0:0:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.8", True),
        ("0.0.0.1", "::1", False),
        ("", "", True),
    ],
)
def test_networks(one: str, other: str, is_same: bool) -> None:
    assert (network_of(one) == network_of(other)) is is_same
