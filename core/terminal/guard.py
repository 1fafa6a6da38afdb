"""Exit codes and Ctrl-C: whatever a command meets ends as one sentence."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

INTERRUPTED, INTERRUPTED_CODE = "headrace: interrupted", 130


def guarded(run: Callable[[], None]) -> None:
    """Run; errors of ours become one sentence and an exit code (0, 1, 2, 75), never a traceback. Ctrl-C: 130."""
    from core.errors import HeadraceError
    from core.terminal.option_names import in_options

    # `core.terminal.start` has answered it while modules were imported.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    except HeadraceError as error:
        print(f"headrace: {in_options(error)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(INTERRUPTED, file=sys.stderr)
        sys.exit(INTERRUPTED_CODE)
