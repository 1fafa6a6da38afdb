"""`headrace`: one file per noun. Commands import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

GC_THRESHOLD = 100_000
"""New objects between two collections; Python's own is 700."""

INTERRUPTED, INTERRUPTED_CODE = "headrace: interrupted", 130


def main() -> None:
    """Run the command line."""
    # Libraries bring hundreds of thousands of objects that live to the end. Looking for rubbish among them costs a
    # tenth of a second while they are imported, and two at the exit.
    gc.set_threshold(GC_THRESHOLD)
    try:
        guarded(_headrace)
    finally:
        gc.freeze()


def _headrace() -> None:
    from core.cli.app import build
    from core.cli.kernels import place_kernels

    core = Path(__file__).parents[1]
    place_kernels(os.environ, Path(os.path.expanduser("~")), core / "matching")
    try:
        build()(prog_name="headrace")
    except SystemExit as ended:
        # typer makes an exit of an interrupt, and says nothing.
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise


def guarded(run: Callable[[], None]) -> None:
    """Run; errors of ours become one sentence and an exit code (0, 1, 2, 75), never a traceback. Ctrl-C: 130."""
    from core.errors import HeadraceError

    # `core.cli.start` has answered it while modules were imported.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    except HeadraceError as error:
        print(f"headrace: {error.message}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        sys.exit(INTERRUPTED_CODE)
