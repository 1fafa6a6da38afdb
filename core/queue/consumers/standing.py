"""Where a worker stands: what faulthandler writes of a start that hangs, and where threads are that do not end."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path

from core.queue.leases.blame import is_library

_THREAD = re.compile(r"^(?:Current thread|Thread) .*$", re.MULTILINE)
_FRAME = re.compile(r'^ +File "(?P<file>[^"\n]*)", line (?P<line>\d+) in (?P<function>.*)$', re.MULTILINE)


def of_dump(text: str) -> str:
    """File, line and function of the main thread in a dump of faulthandler: of the user's code, if there is any.

    "an unknown place" if the dump holds none.
    """
    # The main thread comes last, its newest frame first.
    frames = list(_FRAME.finditer(_THREAD.split(text)[-1]))
    theirs = [one for one in frames if not is_library(one["file"])]
    for one in theirs or frames:
        return f"{Path(one['file']).name}:{one['line']} in {one['function']}"
    return "an unknown place"


def of_threads() -> list[str]:
    """Module, line and function of each thread, beside the main one, for which the interpreter waits at its end."""
    frames = sys._current_frames()
    waited_for = [one for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()]
    found = [frames[one.ident] for one in waited_for if one.ident in frames]
    return [f"{one.f_globals.get('__name__', '?')}:{one.f_lineno} in {one.f_code.co_name}" for one in found]
