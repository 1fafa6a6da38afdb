"""A process that has imported all that a run needs, and forks one that runs a pipeline whenever it is told to.

It says the pid, and how that process ended. No thread is there before a fork: polars starts its own on first use.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime

from pydantic import SecretStr

from core.connections.blocks import connections_of
from core.database import DatabaseManager
from core.settings import DatabaseSettings, Settings
from core.workloads.pipelines.running import run_pipeline
from core.workloads.pipelines.state.versions import approved


def run_once(url: str, name: str) -> None:
    db = DatabaseManager("tests", DatabaseSettings(url=SecretStr(url)))
    settings = Settings.model_validate({"connections": {"warehouse": {"writable_schemas": "sales"}}})
    with db.transaction() as conn:
        version = approved(conn, name)
    run_pipeline(connections_of(settings, db), version, datetime(2026, 1, 10))


def main(url: str, name: str) -> None:
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            run_once(url, name)
            os._exit(0)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
