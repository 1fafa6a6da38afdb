"""goldenmatch without any configuration, as its quick start shows: `python -m core.bench.matching.side_goldenmatch`.

Reads and writes what `side_splink` does. Why these settings: decision 0030.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from core.bench.harness.clock import Clock


def main() -> None:
    """Do the one job."""
    order = json.loads(sys.stdin.readline())
    # What a library prints must not get between our lines.
    out, sys.stdout = sys.stdout, sys.stderr
    logging.disable(logging.CRITICAL)
    print(json.dumps(run(order)), file=out)


def run(order: dict[str, Any]) -> dict[str, Any]:
    """One call does it all; rows that it puts into no cluster stay alone."""
    clock = Clock()
    # Imported here: no lock holds it.
    import pyarrow as pa
    import pyarrow.parquet as pq
    from goldenmatch import __version__, dedupe

    clock.lap("import")
    found = dedupe(order["input"])
    clock.lap("dedupe")
    ids = pq.read_table(order["input"], columns=["id"])["id"].to_pylist()
    entity = list(ids)
    for cluster in found.clusters.values():
        for row in cluster["members"]:
            entity[row] = ids[min(cluster["members"])]
    pq.write_table(pa.table({"id": ids, "entity_id": entity}), order["out"])
    clock.lap("write")
    return {"stages": clock.seconds, "candidate_pairs": None, "version": __version__}


if __name__ == "__main__":
    main()
