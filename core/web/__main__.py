"""`python -m core.web --port 8080`: what `headrace web` becomes."""

from __future__ import annotations

import argparse
import sys

import uvicorn

from core.errors import HeadraceError
from core.metrics.logs import configure
from core.settings import read_settings
from core.web.app import create_app


def main(arguments: list[str]) -> int:
    """Serve until told to end; the exit code is that of the error that kept it from it."""
    parser = argparse.ArgumentParser(prog="headrace web")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args(arguments)
    try:
        settings = read_settings()
        app = create_app(settings)
    except HeadraceError as error:
        sys.stderr.write(f"headrace: {error.message}\n")
        return error.exit_code
    configure(settings.log)
    # Requests that wait for a database that is away must not hold up the end.
    uvicorn.run(app, host=given.host, port=given.port, log_level="warning", timeout_graceful_shutdown=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
