"""The flow of a workload that is no part of the product, on a real Prefect server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from core.database import DatabaseManager

ROOT = Path(__file__).parents[2]
# A flow of the product stands in the folder `flows`; this one is put beside them.
RUN = """
import flows
flows.__path__.append("tests/contract/tiny/flows")
from flows.tiny import TinyRequest, tiny
print(tiny(TinyRequest(texts=("mill", "wheel", "sluice"))))
"""


def test_flow_hands_its_texts_to_the_queue(prefect_env: dict[str, str], database_url: str, db: DatabaseManager) -> None:
    env = prefect_env | {"HEADRACE_DATABASE__URL": database_url}
    done = subprocess.run(
        [sys.executable, "-c", RUN], env=env, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
    found = db.execute_query("n", "SELECT n_items FROM queue_batches WHERE flow_name = 'tiny' ORDER BY batch_id")
    assert found == [(2,), (1,)]
