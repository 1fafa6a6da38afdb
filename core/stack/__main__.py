"""`python -m core.stack API_PORT WEB_PORT MARK`: what `headrace up --detach` leaves behind."""

from __future__ import annotations

import logging
import signal
import sys

from core.errors import HeadraceError
from core.settings import read_settings
from core.stack.plan import Plan
from core.stack.supervisor import Supervisor


def main(api_port: int, web_port: int, mark: str) -> int:
    """Look after a stack until told to end; the exit code is that of the error that ended it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    supervisor = Supervisor(Plan(read_settings(), api_port, web_port, mark))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    # The terminal that started it may close.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        supervisor.run()
    except HeadraceError as error:
        sys.stderr.write(f"headrace: {error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
