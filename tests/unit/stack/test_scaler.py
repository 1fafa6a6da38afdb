"""The autoscaler of a local stack obeys its rule on the Prefect server, and says in words what that refuses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import orjson
import pytest

from core.errors import QueueError
from core.scaling.controller import Tick
from core.stack.scaler import _policy, _rule, _Ruled, asking

RULE = {"parameters": {"request": {"flow_name": "mill", "max_consumers": 2}}, "paused": False}


class Api(BaseHTTPRequestHandler):
    """Deployments by name, and what else is asked, as `answers` of the server has them."""

    def do_GET(self) -> None:
        code, body = self.server.answers.get(self.path, (404, None))  # type: ignore[attr-defined]
        self.send_response(code)
        self.end_headers()
        if body is not None:
            self.wfile.write(orjson.dumps(body))

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(answers: dict[str, tuple[int, Any]]) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Api) as server:
        server.answers = answers  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Acting:
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def tick(self) -> Tick | None:
        self.said.append("tick")
        return None

    def leave(self) -> None:
        self.said.append("leave")


def test_asking_decodes_answers_and_puts_refusals_in_words() -> None:
    with served({"/there": (200, {"id": 1}), "/empty": (204, None), "/broken": (500, {"detail": "secret"})}) as url:
        ask = asking(url)
        assert ask("GET", "/there", None) == {"id": 1}
        assert ask("POST", "/empty", []) is None
        assert ask("GET", "/absent", None) is None
        with pytest.raises(QueueError, match="^the Prefect API refused /broken: 500$"):
            ask("GET", "/broken", None)
    with pytest.raises(QueueError, match="the Prefect API does not answer: URLError"):
        ask("GET", "/there", None)


def test_scaler_rests_while_its_rule_is_paused_and_gives_way_to_another_one() -> None:
    held: dict[str, Any] = dict(RULE)
    acting, given_way = Acting(), []
    ruled = _Ruled(acting, lambda *_: held, dict(RULE), lambda: given_way.append(True))  # type: ignore[arg-type]
    ruled.tick()
    assert acting.said == ["tick"]
    held["paused"] = True
    ruled.tick()
    assert acting.said == ["tick", "leave"]
    held |= {"paused": False, "parameters": {"request": {"flow_name": "mill", "max_consumers": 9}}}
    ruled.tick()
    assert (acting.said, given_way) == (["tick", "leave"], [True])


def test_rule_is_read_from_the_deployment() -> None:
    assert _policy(RULE["parameters"]["request"]).max_consumers == 2  # type: ignore[index]
    assert _policy({"flow_name": "mill", "kind": "record"}).min_consumers == 1
    with pytest.raises(QueueError, match="no deployment autoscale/local"):
        _rule(lambda *_: None)
