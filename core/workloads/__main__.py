"""`python -m core.workloads warm|metrics`: compile the kernels of everything; print the page of all metrics."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from core.workloads import Workload, catalog_of, named, workloads


def warm(found: Sequence[Workload] | None = None) -> float:
    """Compile the kernels of the engine and of every workload; returns the seconds it took (few when all is cached).

    Args:
        found: the workloads; the registry unless said.
    """
    from core.linkage import warm as engine

    started = time.perf_counter()
    engine.warm()
    for workload in workloads() if found is None else found:
        if workload.warm is not None:
            named(workload.warm)()
    return time.perf_counter() - started


def main(arguments: list[str]) -> int:
    """Do what is asked for; 2 when it is nothing known."""
    from core.metrics.catalog import render_reference

    match arguments:
        case ["warm"]:
            sys.stdout.write(f"kernels ready in {warm():.1f} s\n")
        case ["metrics"]:
            sys.stdout.write(render_reference(catalog_of(workloads())))
        case _:
            sys.stderr.write("usage: python -m core.workloads warm|metrics\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
