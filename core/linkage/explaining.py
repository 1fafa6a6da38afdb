"""Why two records were joined, or not, told from what a finished run left behind."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl

from core.errors import ConfigError, InputError
from core.linkage.earlier import reopen
from core.linkage.job import JobDescription
from core.linkage.places import run_path
from core.linkage.ports import Output, Stage
from core.linkage.prepare import hints_of
from core.linkage.source import Source
from core.linkage.workspace import Workspace, load_placeholders
from core.matching.explain import Explanation, explain_records
from core.matching.model import Model

SCAN_ROWS = 250_000


@dataclass(frozen=True)
class Run:
    """What an explanation needs of a finished run."""

    description: JobDescription
    model: Model
    placeholders: dict[str, list[int]]


def run_of_output(out: Path) -> Run:
    """Read the record that `headrace match` wrote beside its output.

    Raises:
        ConfigError: there is none, or it is not whole.
    """
    path = run_path(out)
    if not path.is_file():
        raise ConfigError(f"there is no {path}; give the --out of a finished `headrace match`")
    try:
        record = orjson.loads(path.read_bytes())
        return Run(
            JobDescription.model_validate(record["job"]), Model.model_validate(record["model"]), record["placeholders"]
        )
    except (ValueError, KeyError):
        raise ConfigError(f"{path} is no record of a run by this version; match again to explain") from None


def run_of_job(workspace: Workspace, description: JobDescription, outputs: dict[Stage, list[Output]]) -> Run:
    """Read what a job of the queue left in its workspace.

    Args:
        outputs: of the stages `reduce` and `train`.
    Raises:
        ConfigError: the job has not come so far, or its workspace is gone.
    """
    try:
        model = workspace.path(outputs["train"][0]["path"], "model.json").read_text()
        placeholders = load_placeholders(workspace.path(outputs["reduce"][0]["path"]))
    except (IndexError, FileNotFoundError):
        raise ConfigError(
            "the job has no trained model in its workspace: it did not come so far, or it was removed"
        ) from None
    return Run(description, Model.from_json(model), placeholders)


def explain(run: Run, id_a: str, id_b: str) -> Explanation:
    """Compare two records as the run did, whether or not it ever compared them.

    Raises:
        InputError: an id is not in the input, or the input is no longer what was matched.
    """
    spec = run.description.spec
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
        sources = _sources(run.description, Workspace(folder))
        pair = pl.concat([_record(sources, id_a, first=True), _record(sources, id_b, first=False)])
        orders = dict(sources[0].date_order)
    suspects = {name: np.array(values, dtype=np.uint64) for name, values in run.placeholders.items()}
    return explain_records(pair.select(spec.columns), run.model, spec, orders, suspects)


def _sources(description: JobDescription, scratch: Workspace) -> list[Source]:
    """Open the inputs again: the checked copies of text files went with the run's workspace."""
    return reopen(description, hints_of(description.spec), scratch.root)


def _record(sources: list[Source], record_id: str, *, first: bool) -> pl.DataFrame:
    """Find a record; in a linked pair the first id is looked for in the first file first."""
    for source in sources if first else reversed(sources):
        for lo in range(0, source.rows, SCAN_ROWS):
            found = source.read(lo, min(lo + SCAN_ROWS, source.rows)).filter(pl.col("id") == record_id)
            if found.height:
                return found.head(1)
    names = " or ".join(str(source.path) for source in sources)
    raise InputError(f"there is no record {record_id!r} in {names}", id=record_id)


def records_of(run: Run, ids: Collection[str]) -> dict[str, dict[str, str | None]]:
    """Values of records by id, under the names of the spec's fields. Raises as `explain`."""
    found: dict[str, dict[str, str | None]] = {}
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
        for source in _sources(run.description, Workspace(folder)):
            for lo in range(0, source.rows, SCAN_ROWS):
                rows = source.read(lo, min(lo + SCAN_ROWS, source.rows)).filter(pl.col("id").is_in(list(ids)))
                found |= {str(row["id"]): row for row in rows.to_dicts()}
    return found


def decision_of(out: Path, id_a: str, id_b: str) -> dict[str, Any]:
    """What the run's output says of the two: their entities, and whether they are one."""
    frame = pl.read_csv(out, infer_schema=False) if out.suffix.lower() == ".csv" else pl.read_parquet(out)
    found = frame.with_columns(pl.col("id").cast(pl.String)).filter(pl.col("id").is_in([id_a, id_b]))
    entities = dict(zip(found["id"].to_list(), found["entity_id"].to_list(), strict=True))
    return {
        "entity_a": entities.get(id_a),
        "entity_b": entities.get(id_b),
        "same_entity": id_a in entities and entities.get(id_a) == entities.get(id_b),
    }
