"""`headrace`: one file or folder per noun of the platform.

Commands import what they need when they run, so that `--help` is instant.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

from core.terminal.guard import guarded

GC_THRESHOLD = 100_000
"""New objects between two collections; Python's own is 700."""


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
    from core.terminal.kernel_cache import compile_first, place_kernels

    home, sources = Path(os.path.expanduser("~")), Path(__file__).parents[1] / "matching"
    place_kernels(os.environ, home, sources)
    compile_first(sys.argv[1:], os.environ, home, sources)
    try:
        build()(prog_name="headrace")
    except SystemExit as ended:
        # typer makes an exit of an interrupt, and says nothing.
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
