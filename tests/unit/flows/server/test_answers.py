from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import PREFECT_API_URL, temporary_settings

from core.errors import ConfigError, QueueError
from core.scaling.policy import Fleet
from flows.server.answers import LENGTH_MAX, refusal, require_api
from flows.server.consumer_runs import RunPool

SQL = "(sqlite3.OperationalError) database is locked\n[SQL: INSERT INTO flow_run VALUES (?)]\n[parameters: ('secret',)]"
REQUEST = httpx.Request("POST", "http://127.0.0.1:4200/api/deployments/x/create_flow_run/bulk")


def answer(status: int, body: Any) -> httpx.Response:
    return httpx.Response(status, json=body, request=REQUEST)


class Server:
    """Of Prefect's client, what a pool needs to submit."""

    def __init__(self, said: httpx.Response) -> None:
        self._said = said

    def request(self, method: str, *_: object, **__: object) -> httpx.Response:
        return answer(200, {"id": str(uuid4())}) if method == "GET" else self._said


def submitted(said: httpx.Response) -> str:
    with pytest.raises(QueueError) as caught:
        RunPool(cast(SyncPrefectClient, Server(said)), "consume/local", "mill").bring_about(1, Fleet(), "one")
    return caught.value.message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"detail": SQL}, "500 (sqlite3.OperationalError) database is locked"),
        ({"detail": "gone [SQL: SELECT 1]"}, "500 gone"),
        ({"detail": [{"loc": ["body", "name"], "msg": "too long", "input": "secret"}]}, "500 body.name: too long"),
        ({"detail": "x" * 1_000}, "500 " + "x" * LENGTH_MAX),
        ({"exception_message": "Internal Server Error"}, "500"),
        (["no object"], "500"),
    ],
)
def test_refusal_says_status_and_first_line(body: Any, words: str) -> None:
    assert refusal(answer(500, body)) == words


def test_refusal_of_no_json_is_the_status() -> None:
    assert refusal(httpx.Response(502, text="<html>Bad Gateway</html>", request=REQUEST)) == "502"


def test_pool_tells_what_the_api_refused_without_its_sql() -> None:
    told = submitted(answer(200, {"results": [{"status": "FAILED", "error": SQL}]}))
    assert told == "1 of 1 consumer runs were refused: (sqlite3.OperationalError) database is locked"
    told = submitted(answer(500, {"detail": SQL}))
    assert told == f"the Prefect API refused {REQUEST.url.path}: 500 (sqlite3.OperationalError) database is locked"


def test_pool_refuses_a_name_that_is_no_deployments() -> None:
    with pytest.raises(ConfigError, match="'consume' names no deployment of Prefect: write flow/deployment"):
        RunPool(cast(SyncPrefectClient, Server(answer(200, {}))), "consume", "mill")


@pytest.mark.parametrize(
    ("url", "words"), [(None, "PREFECT_API_URL is not set"), ("nonsense", "does not begin with http")]
)
def test_api_must_be_named_by_a_url(url: str | None, words: str) -> None:
    with temporary_settings({PREFECT_API_URL: url}), pytest.raises(ConfigError, match=words):
        require_api()
