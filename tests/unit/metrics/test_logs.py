from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from core.errors import StoreError
from core.metrics.logs import ROOTS, configure
from core.settings import LogSettings


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    loggers = [logging.getLogger(root) for root in ROOTS]
    before = [(list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers, logger.level, logger.propagate = handlers, level, propagate


def log_of(settings: LogSettings, error: Exception) -> str:
    stream = io.StringIO()
    configure(settings, io.StringIO())
    configure(settings, stream)
    try:
        raise error
    except Exception:
        logging.getLogger("headrace.x").exception("batch %s failed", 7)
    logging.getLogger("headrace.x").debug("hidden")
    return stream.getvalue()


def test_configure_as_json_writes_one_object_a_line() -> None:
    (line,) = log_of(LogSettings(as_json=True), StoreError("the store\nfailed")).splitlines()
    found = json.loads(line)
    assert (found["level"], found["logger"], found["message"]) == ("ERROR", "headrace.x", "batch 7 failed")
    assert found["exception"].endswith("StoreError: the store\nfailed")


@pytest.mark.parametrize("as_json", [True, False])
def test_foreign_exception_texts_are_dropped(as_json: bool) -> None:
    text = log_of(LogSettings(as_json=as_json), ValueError("ssn 123-45-6789"))
    assert "123-45-6789" not in text
    assert "ValueError" in text
    assert "test_logs.py" in text


def test_configure_writes_text_from_the_level_on() -> None:
    text = log_of(LogSettings(level="ERROR"), StoreError("x"))
    assert text.count("batch 7 failed") == 1
    assert "hidden" not in text


def test_modules_by_their_own_names_are_written_too() -> None:
    stream = io.StringIO()
    configure(LogSettings(), stream)
    logging.getLogger("core.jobs.session").warning("batch 3 was taken over")
    assert "core.jobs.session batch 3 was taken over" in stream.getvalue()
