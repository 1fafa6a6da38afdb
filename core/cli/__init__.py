"""`headrace`: one file per noun. Commands import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import sys
from collections.abc import Callable


def main() -> None:
    """Run the command line."""
    from core.cli.app import build

    guarded(lambda: build()(prog_name="headrace"))


def guarded(run: Callable[[], None]) -> None:
    """Run; errors of ours become one sentence and an exit code (0, 1, 2, 75), never a traceback."""
    from core.errors import HeadraceError

    try:
        run()
    except HeadraceError as error:
        print(f"headrace: {error.message}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
