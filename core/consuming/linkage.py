"""The handler of identity resolution under its path of the version before, for one version.

A consumer that runs on while the code below it is replaced starts its next worker by the path it knows.
"""

from __future__ import annotations

import logging
from functools import cache

import polars as pl

from core.queue.handlers import HandlerResult, handles
from core.workloads.identity import handler

log = logging.getLogger(__name__)


@handles()
def run_any(rows: pl.DataFrame) -> HandlerResult:
    """Do one batch of a stage, as `core.workloads.identity.handler.run_any`."""
    _advise()
    return handler.run_any(rows)


@cache
def _advise() -> None:
    """Once a process."""
    log.warning("this consumer was started by an older version; restart it, the next version will not know its handler")
