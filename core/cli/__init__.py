"""`headrace`: one file per noun. Commands import what they need when they run, so that `--help` is instant."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; errors of ours become one sentence and an exit code (0, 1, 2, 75)."""
    from core.cli.app import build
    from core.errors import HeadraceError

    try:
        build()(prog_name="headrace")
    except HeadraceError as error:
        print(f"headrace: {error.message}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
