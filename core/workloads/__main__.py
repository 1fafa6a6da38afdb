"""`python -m core.workloads warm [engine]|metrics`: compile kernels, of everything or the engine; print all metrics."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

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


def _warm_with_a_bar(*, engine_alone: bool = False) -> int:
    from core.terminal.kernel_cache import compile_kernels, places

    core, started = Path(__file__).parents[1], time.perf_counter()
    home = Path(os.path.expanduser("~"))
    if not compile_kernels(places(os.environ, home, core / "matching"), core, engine_alone=engine_alone):
        return 1
    sys.stdout.write(f"kernels ready in {time.perf_counter() - started:.1f} s\n")
    return 0


def main(arguments: list[str]) -> int:
    """Do what is asked for; 2 when it is nothing known."""
    from core.metrics.catalog import render_reference

    match arguments:
        case ["warm"]:
            return _warm_with_a_bar()
        case ["warm", "engine"]:
            return _warm_with_a_bar(engine_alone=True)
        case ["metrics"]:
            sys.stdout.write(render_reference(catalog_of(workloads())))
        case _:
            sys.stderr.write("usage: python -m core.workloads warm [engine]|metrics\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
