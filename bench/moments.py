"""What no load driver measures: a cold start, and what a storm of logins costs whom."""

import json
import resource
import shutil
import statistics
import subprocess
import sys
from typing import Final

from bench.peers import Peers
from bench.practice import PASSWORD
from bench.rows import Figures
from bench.scratch import Scratch, stop
from bench.server import serve, settings

_PORT: Final = 3110
_HASHES: Final = 12
_STORM_S: Final = "8"


def cold_start(scratch: Scratch, times: int) -> dict[str, float]:
    """Return how long a first start takes from an empty folder, and the memory it leaves."""
    starts = []
    for _ in range(times):
        folder = scratch.folder / "cold"
        shutil.rmtree(folder, ignore_errors=True)
        started = serve(folder, settings(_PORT, None), scratch.folder / "cold.log")
        stop(started.process.pid)
        starts.append(started)
    return {
        "cold_start_s": statistics.median(one.seconds for one in starts),
        "resident_mb": statistics.median(one.resident_mb for one in starts),
    }


def login_storm(peers: Peers, cost: int) -> dict[str, float]:
    """Return what logins cost beside bcrypt alone, and how long others wait meanwhile.

    The others ask for a message two hundred times a second.
    """
    target = str(peers.scratch.folder / "targets/wellio.json")
    common = ("load_http.py", "--target", target, "--seconds", _STORM_S)
    logins = peers.drive(*common, "--op", "login", "--conns", "8")
    others = peers.drive(*common, "--op", "read_one", "--conns", "8", "--rate", "200")
    login = json.loads(logins.communicate()[0].splitlines()[-1])
    other = json.loads(others.communicate()[0].splitlines()[-1])
    alone_s = _bcrypt_alone_s(cost)
    # The server's processor time in the storm is also the others' reads': what one of them costs
    # apart from it is known from the run, and taken off.
    reads_us = other["rps"] * _median(peers.scratch, "read_one", "cpu_us")
    login_us = (login["cpu_us"] * login["rps"] - reads_us) / login["rps"]
    return {
        "login_cpu_ratio": login_us / (alone_s * 1e6),
        "storm_p99_ms": other["p99_ms"],
        "logins_per_s": login["rps"],
    }


def _median(scratch: Scratch, op: str, field: str) -> float:
    return Figures(scratch.lines(), {}).of("wellio", op, field)


def _bcrypt_alone_s(cost: int) -> float:
    """Return the processor time of one comparison of a password, on the server's processor."""
    code = (
        "import bcrypt, time, sys\n"
        f"h = bcrypt.hashpw(sys.argv[1].encode(), bcrypt.gensalt({cost}))\n"
        "t = time.process_time()\n"
        f"for _ in range({_HASHES}): bcrypt.checkpw(sys.argv[1].encode(), h)\n"
        f"print((time.process_time() - t) / {_HASHES})\n"
    )
    command = ["taskset", "-c", "0", sys.executable, "-c", code, PASSWORD]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own line
    return float(done.stdout)


def raise_file_limit() -> None:
    """Allow as many open files as thousands of sockets need."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20_000, hard), hard))
