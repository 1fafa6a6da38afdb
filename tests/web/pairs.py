"""A published data set of identities with pairs to decide, without the run that would find them."""

from __future__ import annotations

import orjson
import polars as pl

from core.database import DatabaseManager
from core.database.queries import load, run
from core.queue.batches import FlowPolicy
from core.queue.producers import jobs
from core.queue.store import flows
from core.review.items import BETWEEN, fill
from core.workloads.identity.reviewing.cases import topic
from core.workloads.identity.reviewing.shown_records import keep_records
from core.workloads.identity.workload import FLOW

Q = load("identity")
# They stand in no page of a viewer, in no address, title, error or log.
CANARY = "Zzyzxqua"
FACTS = {
    "fields": [
        {"field": "first_name", "level": "jaro_winkler >= 0.85", "bits_milli": 2_250},
        {"field": "last_name", "level": "exact", "bits_milli": 9_000},
        {"field": "dob", "level": "differ", "bits_milli": -7_500},
        {"field": "street", "level": "missing", "bits_milli": 0},
    ],
    "joined": False,
    "bits_milli": 250,
    "probability_ppm": 543_000,
}


def published(db: DatabaseManager, dataset: str, n_pairs: int = 8) -> int:
    """Its job. Records are named `a0`, `b0`, ..., the first pair is the dearest."""
    flows.ensure(db, FlowPolicy(FLOW))
    job = jobs.submit(db, FLOW, f"key of {dataset}", {"input": f"/data/{dataset}.csv"}, "digest")
    places = range(n_pairs)
    found = pl.DataFrame(
        {
            "subject": [f"a{at}{BETWEEN}b{at}" for at in places],
            "seen": ["v1"] * n_pairs,
            "facts": [orjson.dumps(FACTS).decode()] * n_pairs,
            "probability": [0.543] * n_pairs,
            "value": [float(n_pairs - at) for at in places],
        }
    )
    ids = [f"{side}{at}" for at in places for side in "ab"]
    records = pl.DataFrame(
        {
            "source": [0] * len(ids),
            "id": ids,
            "first_name": [CANARY if name.startswith("a") else CANARY.replace("q", "g") for name in ids],
            "last_name": ["<b>O'Neil</b>"] * len(ids),
            "dob": ["1980-02-03" if name.startswith("a") else "1980-03-02" for name in ids],
            "street": [None] * len(ids),
        }
    )
    with db.transaction() as conn:
        fill(conn, topic(dataset), job.job_id, found)
        keep_records(conn, dataset, records)
        run(conn, Q["job_publish"], {"dataset": dataset, "job_id": job.job_id, "how": "publish"})
    return job.job_id
