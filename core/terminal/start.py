"""`python -m core.terminal.start MODULE ARGUMENTS`: runs it as `python -m` does; Ctrl-C is answered at once.

Importing Prefect takes seconds, in which an interrupt would surface as a traceback from wherever it struck.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from typing import NoReturn

from core.terminal.guard import INTERRUPTED, INTERRUPTED_CODE


def start(module: str, arguments: list[str]) -> None:
    """Run the module as the main one; `core.terminal.guard.guarded` in it takes interrupts over."""
    # Of a job in the background it is ignored, and stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end(*_: object) -> NoReturn:
    os.write(sys.stderr.fileno(), f"{INTERRUPTED}\n".encode())
    os._exit(INTERRUPTED_CODE)


if __name__ == "__main__":
    start(sys.argv[1], sys.argv[2:])
