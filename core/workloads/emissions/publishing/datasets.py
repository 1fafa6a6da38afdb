"""Data sets and files in the database, by the hash of what they say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from core.database.copy import copy_in
from core.database.queries import affected, load, run
from core.errors import StoreError
from core.workloads.emissions.factors.dataset import Dataset, from_dict, to_dict

Q = load("emissions")


def keep_datasets(conn: psycopg.Connection[Any], datasets: Sequence[Dataset]) -> int:
    """Keep those that are not there yet; returns how many. Cost: some 5 us a figure."""
    ids = [dataset.dataset_id for dataset in datasets]
    known = {dataset_id for (dataset_id,) in run(conn, Q["datasets_known"], {"dataset_ids": ids})}
    new = [dataset for dataset in datasets if dataset.dataset_id not in known]
    return sum(_keep(conn, dataset) for dataset in sorted(new, key=lambda each: each.dataset_id))


def read_dataset(conn: psycopg.Connection[Any], dataset_id: str) -> Dataset:
    """A kept data set. Raises StoreError: it is not there, or is not what its id says."""
    found = run(conn, Q["dataset_read"], {"dataset_id": dataset_id})
    if not found:
        raise StoreError(f"the data set {dataset_id[:12]} is not in the database", dataset_id=dataset_id)
    file_sha256, edition = found[0]
    figures = [json.loads(facts) for (facts,) in run(conn, Q["factors_read"], {"dataset_id": dataset_id})]
    dataset = from_dict({"edition": json.loads(edition), "file_sha256": file_sha256, "factors": figures})
    if dataset.dataset_id != dataset_id:
        raise StoreError(
            f"the data set {dataset_id[:12]} was changed: its figures give {dataset.dataset_id[:12]}",
            dataset_id=dataset_id,
        )
    return dataset


def keep_files(conn: psycopg.Connection[Any], files: Iterable[Path]) -> None:
    """Keep files by the hash of their content, one round trip."""
    bodies = {file_id(body): body for body in (path.read_bytes() for path in files)}
    run(conn, Q["documents_keep"], {"document_ids": list(bodies), "bodies": list(bodies.values())})


def read_files(conn: psycopg.Connection[Any], wanted: Mapping[str, tuple[str, str]], folder: Path) -> dict[str, Path]:
    """Write kept files into a folder.

    Args:
        wanted: what a file is for -> its id and its name.
    Raises StoreError: one is not there, or is not what its id says.
    """
    ids = sorted({document_id for document_id, _ in wanted.values()})
    bodies = {name: bytes(body) for name, body in run(conn, Q["documents_read"], {"document_ids": ids})}
    found = {}
    for purpose, (document_id, name) in wanted.items():
        body = bodies.get(document_id)
        if body is None or file_id(body) != document_id:
            raise StoreError(f"the file of {purpose} ({document_id[:12]}) is not in the database as it was kept")
        found[purpose] = folder / f"{purpose}{Path(name).suffix}"
        found[purpose].write_bytes(body)
    return found


def file_id(body: bytes) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def _keep(conn: psycopg.Connection[Any], dataset: Dataset) -> bool:
    said = to_dict(dataset)
    edition = dataset.edition
    row = {
        "dataset_id": dataset.dataset_id,
        "source": edition.source,
        "edition": edition.edition,
        "patch": edition.patch,
        "licence": edition.licence,
        "restricted": edition.restricted,
        "file_sha256": dataset.file_sha256,
        "facts": json.dumps(said["edition"], ensure_ascii=False),
        "n_factors": len(dataset.factors),
    }
    if not affected(conn, Q["dataset_keep"], row):
        # Somebody else kept the same content meanwhile, figures and all.
        return False
    figures = pl.DataFrame(
        {
            "dataset_id": [dataset.dataset_id] * len(dataset.factors),
            "factor_no": range(1, len(dataset.factors) + 1),
            "scheme": [factor.scheme for factor in dataset.factors],
            "code": [factor.code for factor in dataset.factors],
            "unit": [factor.unit for factor in dataset.factors],
            "facts": [json.dumps(each, ensure_ascii=False) for each in said["factors"]],
        },
        schema_overrides={"factor_no": pl.Int32},
    )
    copy_in(conn, "factors", figures)
    return True
