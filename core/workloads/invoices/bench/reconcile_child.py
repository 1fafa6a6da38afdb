"""The process that `headrace bench reconcile` measures: one line of JSON in, its seconds and idle memory out."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

from core.workloads.invoices.reconciling.run import Request, reconcile, record_of, write_folder
from core.workloads.invoices.warm import warm

FILES = ("invoices", "payments", "customers", "rates")


def main() -> None:
    """Reconcile the books of a folder into its subfolder `answer`."""
    folder = Path(json.loads(sys.stdin.readline())["folder"])
    warm()
    idle_bytes = psutil.Process().memory_info().rss
    began = time.perf_counter()
    request = Request({kind: [folder / f"{kind}.csv"] for kind in FILES})
    found = reconcile(request)
    write_folder(folder / "answer", record_of(request, found), found.answer)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "idle_mb": idle_bytes / 2**20}))


if __name__ == "__main__":
    main()
