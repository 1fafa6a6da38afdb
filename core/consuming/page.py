"""/health, /ready and /metrics of a process that has no web framework: one thread, plain HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import orjson

from core.errors import ConfigError
from core.metrics.export import CONTENT_TYPE, Samples, render


class Page:
    """Context manager around the server's thread.

    Args:
        problem: why the process is not ready; None: it is.
        samples: what /metrics shows. Both are called in threads of the server.
    Raises ConfigError: the port is taken.
    """

    def __init__(self, host: str, port: int, problem: Callable[[], str | None], samples: Callable[[], Samples]) -> None:
        def answer(path: str) -> tuple[int, str, bytes]:
            match path:
                case "/health":
                    return 200, "application/json", b'{"status":"ok"}'
                case "/ready":
                    why = problem()
                    body: dict[str, Any] = {"ready": why is None} | ({"problem": why} if why else {})
                    return 200 if why is None else 503, "application/json", orjson.dumps(body)
                case "/metrics":
                    return 200, CONTENT_TYPE, render(samples())
            return 404, "application/json", b'{"problem":"there are /health, /ready and /metrics"}'

        try:
            self._server = ThreadingHTTPServer((host, port), _handler(answer))
        except OSError as error:
            raise ConfigError(
                f"port {port} of {host} cannot be used ({error.strerror}); choose another with --http-port", port=port
            ) from None
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        """On which it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Page:
        """Start answering."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="headrace-page", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


def _handler(answer: Callable[[str], tuple[int, str, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answer(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the library's
            """Probes come every few seconds: nothing is written."""

    return Handler
