"""`make bench`: start everybody, measure in turns, and print the table.

Every server runs on processor 0, every driver on processor 1; machines are noisy, so only ratios
within one run count.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from wellio_auth.config import AuthConfig

from bench.moments import cold_start, login_storm, raise_file_limit
from bench.peers import PEERS, Peers
from bench.rows import Figures, table
from bench.scratch import Scratch, stop
from bench.server import start_target
from wellio.testing.engines import PostgresServer

_GROWTH = 1_000_000
#: Which operations are measured together, on whom.
HTTP: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("read_one", ("wellio", "pb", "pb_simple", "bare", "node_express", "node_batch")),
    ("list50", ("wellio", "pb", "bare", "node_batch")),
    ("create", ("wellio", "wellio_pg", "pb", "node_full", "node_batch", "bare")),
    ("list50_10k,list50_big", ("wellio",)),
)
CHAT: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (  # mode, clients, rate, on whom
    ("pairs", 200, 0, ("wellio", "node_batch", "node_full", "pysio", "bare", "pb")),
    ("pairs", 1000, 1000, ("wellio", "node_batch")),
    ("fanout", 500, 0, ("wellio", "node_batch")),
)
IDLE = ("wellio", "node_batch")


def main() -> None:
    """Measure, and print."""
    arguments = _arguments()
    raise_file_limit()
    scratch = Scratch.of_environment()
    peers = Peers(scratch)
    peers.install()
    scratch.results.unlink(missing_ok=True)
    moments = cold_start(scratch, times=arguments.rounds)
    with ExitStack() as stack:
        _start(stack, scratch, peers, arguments.growth)
        # First, and once: what other loads took before would be used again.
        for name in IDLE:
            target = str(scratch.folder / f"targets/{name}.json")
            peers.measure("load_chat.py", "--target", target, "--mode", "idle", "--clients", "2000")
        for ops, targets in HTTP:
            _compare(peers, targets, arguments, "--http", ops)
        for mode, clients, rate, targets in CHAT:
            load = ("--clients", str(clients), "--rate", str(rate))
            _compare(peers, targets, arguments, "--chat", mode, *load)
        moments |= login_storm(peers, AuthConfig().bcrypt_cost)
    sys.stdout.write(table(Figures(scratch.lines(), moments)) + "\n")


def _start(stack: ExitStack, scratch: Scratch, peers: Peers, growth: int) -> None:
    postgres = PostgresServer()
    stack.callback(postgres.stop)
    for name, port, database in (("wellio", 3108, None), ("wellio_pg", 3109, postgres.url())):
        start_target(scratch, name, port, database=database, growth=0 if database else growth)
        stack.callback(stop, scratch.target(name)["pid"])
    for name in PEERS:
        peers.start(name)
        stack.callback(peers.stop, name)


def _compare(
    peers: Peers, targets: Sequence[str], arguments: argparse.Namespace, *load: str
) -> None:
    peers.compare(
        "--targets",
        ",".join(targets),
        "--rounds",
        str(arguments.rounds),
        "--seconds",
        str(arguments.seconds),
        *load,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each target")
    parser.add_argument("--seconds", type=float, default=4, help="the length of one measurement")
    parser.add_argument("--growth", type=int, default=_GROWTH, help="messages of row 14")
    return parser.parse_args()


if __name__ == "__main__":
    main()
