"""What a run makes of the machine: how its hundreds of processes start, and where they write.

Both are set before anything starts, and inherited by all that starts then.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder for the whole run is made in it
#: What is free there at least; a run holds less than a tenth of it at once.
_ROOM: Final = 4 << 30


def keep_bytecode() -> None:
    """Keep what is compiled: else each process compiles all that it imports, for a second."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def write_to_memory() -> None:
    """Have no write wait for a disk, where the system has memory for it and TMPDIR says nothing.

    What is committed is synced as ever, which costs a disk milliseconds, tens of thousands of times
    in a run. Tests kill processes, not the machine: all that they wrote is still there then.
    """
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return
    its = os.statvfs(_MEMORY)
    if its.f_bavail * its.f_frsize >= _ROOM and not its.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = str(_MEMORY)
        tempfile.tempdir = None  # it is looked up once
