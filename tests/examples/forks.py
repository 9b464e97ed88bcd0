"""Runs programs of the environment whose Python runs this file, each in a fork of its own.

What they all import, Wellio and pytest, costs more than most of them do; here it is imported once.
Started as `python -P forks.py PACKAGE...`, which are imported with all that is below them. Each
line that it reads is one request, and is answered by a line, both JSON:

    {"words": ["wellio", "plugins"], "cwd": ..., "env": {...}, "output": PATH}  ->  its process id
    {"wait": PROCESS}                                                           ->  its exit code

Whoever kills it with its group ends all that it has started.
"""

import gc
import importlib
import json
import multiprocessing.process
import os
import pkgutil
import site
import sys
import sysconfig
import threading
from collections.abc import Mapping, Sequence
from importlib import metadata


def main() -> None:
    """Answer until the input ends."""
    for name in sys.argv[1:]:
        bring(name)
    if threading.active_count() > 1:
        raise RuntimeError("an import has started a thread, which no fork would have")
    gc.freeze()  # what is there stays, and no fork needs to look through it
    started: dict[int | None, multiprocessing.process.BaseProcess] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            process = started.pop(request["wait"])
            process.join()
            answer = process.exitcode
        else:
            process = multiprocessing.get_context("fork").Process(target=run, kwargs=request)
            process.start()
            started[process.pid] = process
            answer = process.pid
        print(answer, flush=True)


def bring(name: str) -> None:
    """Import a module, and all that is below a package."""
    module = importlib.import_module(name)
    for below in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}."):
        if not below.name.endswith("__main__"):
            bring(below.name)


def run(words: Sequence[str], cwd: str, env: Mapping[str, str], output: str) -> None:
    """Be a program, as the script in the environment's `bin` is, and end with it."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.dup2(1, 2)
    site.addsitedir(sysconfig.get_path("purelib"))  # what was installed meanwhile
    importlib.invalidate_caches()
    sys.argv = list(words)
    (program,) = metadata.entry_points(group="console_scripts", name=words[0])
    sys.exit(program.load()())


if __name__ == "__main__":
    main()
