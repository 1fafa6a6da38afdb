from __future__ import annotations

import random
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.bench.scaling.schedule import Api, offset_s, until_second
from core.cli.app import build
from core.errors import ConfigError, ServiceUnavailable


@pytest.mark.parametrize(
    ("now_s", "second", "expected"), [(120.0, 0.0, 0.0), (121.0, 0.0, 59.0), (150.0, 40.0, 10.0), (170.0, 40.0, 50.0)]
)
def test_until_second_is_the_next_time_the_clock_shows_it(now_s: float, second: float, expected: float) -> None:
    assert until_second(now_s, second) == pytest.approx(expected)


def test_offsets_are_those_of_the_seed_and_lie_anywhere_in_the_minute() -> None:
    first, again = random.Random(1), random.Random(1)
    drawn = [offset_s(first) for _ in range(100)]
    assert drawn == [offset_s(again) for _ in range(100)]
    assert min(drawn) < 5
    assert 55 < max(drawn) < 60


def test_api_that_is_away_is_told_with_its_address() -> None:
    with pytest.raises(ServiceUnavailable, match=r"http://127\.0\.0\.1:9/api does not answer"):
        Api("http://127.0.0.1:9/api").ask("GET", "/health")


def test_scale_by_schedule_says_that_a_stack_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_STATE_DIR", str(tmp_path))
    result = CliRunner().invoke(build(), ["bench", "scale", "--by", "schedule"])
    assert isinstance(result.exception, ConfigError)
    assert f"measures a running `headrace up`, and none is ready in {tmp_path}" in result.exception.message


def test_api_that_is_busy_is_asked_again() -> None:
    codes = [503, 503, 200]

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(codes.pop(0))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            assert Api(f"http://127.0.0.1:{server.server_port}/api").ask("GET", "/health") == []
        finally:
            server.shutdown()
            thread.join()
    assert codes == []
