"""Starts Wellio with one of its promises broken: `python -m tests.fault.launcher BREAK serve ...`.

The product knows nothing of this: the module `tests.fault.breaks.BREAK` replaces what it breaks
before the command line of `wellio` runs.
"""

import importlib
import sys

from wellio.cli import main

if __name__ == "__main__":
    importlib.import_module(f"tests.fault.breaks.{sys.argv.pop(1)}").apply()
    main()
