from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.database import DatabaseManager
from core.errors import ConfigError, HeadraceError, UnknownFlow
from core.metrics.logs import ROOTS
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings

HERE = "tests.integration.queue.consumers.misbehaving"


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """The command sets up the logs of its process, which here is that of all tests."""
    loggers = [logging.getLogger(root) for root in ROOTS]
    before = [(list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.level, logger.propagate = handlers, level, propagate


@pytest.fixture(autouse=True)
def _on_this_database(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)


def refusal(*args: str) -> HeadraceError:
    error = CliRunner().invoke(build(), ["consume", *args]).exception
    assert isinstance(error, HeadraceError)
    return error


def test_consume_runs_the_flow_that_the_handler_declares(db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "producer")
    queue.register_flow(FlowPolicy("sums"))
    queue.enqueue("sums", [{"n": n} for n in range(10)], batch_rows=5)
    ran = CliRunner().invoke(build(), ["consume", "--handler", f"{HERE}:double", "--idle-exit-seconds", "0", "--json"])
    assert ran.exit_code == 0
    assert json.loads(ran.stdout) == [{"batches": 2, "rows": 10, "rows_failed": 0, "worker_deaths": 0, "exit_code": 0}]
    assert db.execute_query("s", "SELECT sum((output#>>'{}')::int) FROM queue_results") == [(90,)]


def test_consume_refuses_flows_and_handlers_it_does_not_know() -> None:
    assert isinstance(refusal("--flow", "survy", "--handler", f"{HERE}:double"), UnknownFlow)
    assert "which flow?" in refusal("--handler", f"{HERE}:raises").message
    assert isinstance(refusal("--handler", f"{HERE}:dubble"), ConfigError)
    assert "which batches?" in refusal().message
    assert "which batches?" in refusal("--flow", "sums", "--queue", "any").message


def test_consume_refuses_a_flow_that_needs_what_it_lacks(db: DatabaseManager) -> None:
    BatchQueue(db, QueueSettings(), "producer").register_flow(FlowPolicy("pictures", needs=("gpu", "fast-disk")))
    told = refusal("--flow", "pictures", "--handler", f"{HERE}:double", "--capability", "gpu").message
    assert "the flow pictures needs fast-disk and this consumer has gpu" in told


def test_consume_names_a_flow_without_a_handler(db: DatabaseManager) -> None:
    BatchQueue(db, QueueSettings(), "producer").register_flow(FlowPolicy("bare"))
    assert "the flow bare has no handler of Headrace's own" in refusal("--flow", "bare").message
