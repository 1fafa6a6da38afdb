"""`python -m core.web --port 8080`: what `headrace web` becomes."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

from core.errors import ConfigError, HeadraceError
from core.metrics.logs import configure
from core.pages.accounts import users
from core.pages.kit import Exposure
from core.settings import Settings, read_settings
from core.web.app import create_app

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def main(arguments: list[str]) -> int:
    """Serve until told to end; the exit code is that of the error that kept it from it."""
    parser = argparse.ArgumentParser(prog="headrace web")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--tls-certificate")
    parser.add_argument("--tls-key")
    parser.add_argument("--behind-tls", action="store_true")
    # `headrace up` prints the link itself: this output goes to a log.
    parser.add_argument("--no-link", action="store_true")
    given = parser.parse_args(arguments)
    try:
        settings = read_settings()
        exposure = _exposure(given, settings)
        app = create_app(settings, exposure=exposure)
    except HeadraceError as error:
        sys.stderr.write(f"headrace: {error.message}\n")
        return error.exit_code
    configure(settings.log)
    if exposure == "loopback" and not given.no_link:
        _offer_first_admin(app, given.port)
    # Requests that wait for a database that is away must not hold up the end.
    options: dict[str, Any] = {"log_level": "warning", "timeout_graceful_shutdown": 1}
    if given.tls_certificate:
        options |= {"ssl_certfile": given.tls_certificate, "ssl_keyfile": given.tls_key}
    # The app itself decides whose X-Forwarded-* to believe.
    uvicorn.run(app, host=given.host, port=given.port, proxy_headers=False, server_header=False, **options)
    return 0


def _exposure(given: argparse.Namespace, settings: Settings) -> Exposure:
    if bool(given.tls_certificate) != bool(given.tls_key):
        raise ConfigError("--tls-certificate and --tls-key go together: give both files, or none")
    if given.tls_certificate or given.behind_tls or settings.web.behind_tls:
        return "tls"
    return "loopback" if given.host in LOOPBACK else "bare"


def _offer_first_admin(app: FastAPI, port: int) -> None:
    """Print the link, if there is nobody yet. A database that is away is told of by the pages."""
    try:
        link = users.first_admin_link(app.state.kit.db, f"http://127.0.0.1:{port}")
    except HeadraceError:
        return
    if link is not None:
        sys.stdout.write(f"make the first admin (once, within 15 minutes): {link}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
