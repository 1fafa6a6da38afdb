"""Logging set-up. Row data never reaches a line: of an exception that is not ours only type and place are written."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

from core.errors import HeadraceError
from core.settings import LogSettings

ROOTS = ("headrace", "core")
"""Named events such as `headrace.slow`, and the modules by their own names."""

EVERY_ROOT = ("", *ROOTS)
"""With the root logger: in a process that is ours alone, handlers of users and libraries write the same lines."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure(settings: LogSettings, stream: TextIO | None = None, *, roots: tuple[str, ...] = ROOTS) -> None:
    """Send everything below the loggers of `roots` to `stream` (stderr), as text or one JSON object a line.

    Calling it again replaces the former set-up. Other loggers are left alone; `EVERY_ROOT` leaves none.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.as_json else TextFormatter())
    for root in roots:
        logger = logging.getLogger(root)
        for former in list(logger.handlers):
            logger.removeHandler(former)
        logger.addHandler(handler)
        logger.setLevel(settings.level)
        logger.propagate = False


def describe(error: BaseException) -> str:
    """An exception in one line that holds no row data: our own message, else the type alone."""
    return f"{type(error).__name__}: {error.message}" if isinstance(error, HeadraceError) else type(error).__name__


class _Formatter(logging.Formatter):
    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - logging's name
        """Frames of the traceback and the exception's type; foreign messages may quote values and are dropped."""
        _, error, tb = ei
        if error is None:
            return ""
        return "".join(traceback.format_tb(tb)) + describe(error)


class TextFormatter(_Formatter):
    """`2026-11-01T10:00:00Z WARNING headrace.slow message`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's
        """UTC, to the second."""
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class JsonFormatter(_Formatter):
    """Keys `time`, `level`, `logger`, `message`, and `exception` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; newlines inside are escaped by JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
