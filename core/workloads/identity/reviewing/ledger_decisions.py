"""Verdicts of the ledger as a file of decisions, which any match takes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import polars as pl

from core.database import DatabaseManager
from core.errors import ConfigError
from core.linkage.description import dataset_name_of
from core.linkage.history.base_run import open_base
from core.linkage.history.decisions import EVENT, TAKEN_BACK
from core.linkage.history.values_seen import SEEN
from core.linkage.request import LEDGER, MatchRequest, is_ledger
from core.matching.specs.spec import load_spec
from core.review.verdicts import UNSURE, holding
from core.storage.private_file import write_private
from core.workloads.identity.reviewing.cases import topic


def with_verdicts(request: MatchRequest, db: DatabaseManager, folder: Path, *, given: bool = True) -> MatchRequest:
    """The request with the ledger's decisions as a file, if it asks for them.

    Args:
        folder: gets the file; its name tells its content, so equal verdicts make equal requests.
        given: False: also where it says nothing of decisions, if there are any for its data set.
    Raises:
        ConfigError: it asks for them, and nobody has decided anything for the data set.
    """
    asks = is_ledger(request.decisions)
    if not asks and (given or request.decisions is not None or request.link):
        return request
    dataset = (request.decisions or "").partition(":")[2] or _dataset_of(request)
    path = decisions_file(db, dataset, folder)
    if path is None and asks:
        raise ConfigError(
            f"nobody has decided a pair of data set {dataset!r} yet; `headrace review status` lists what there is",
            dataset=dataset,
            fields=("decisions",),
        )
    return request.model_copy(update={"decisions": None if path is None else str(path)})


def decisions_file(db: DatabaseManager, dataset: str, folder: Path) -> Path | None:
    """Write what holds and what was taken back of a data set; None where nobody said anything. Ids, no values."""
    held = holding(db, topic(dataset))
    rows = [
        (
            *each.subject,
            each.verdict if each.verdict not in (None, UNSURE) else TAKEN_BACK,
            each.by,
            None if each.at is None else f"{each.at:%Y-%m-%dT%H:%M:%SZ}",
            each.seen,
            LEDGER,
        )
        for each in held
        if len(each.subject) == 2
    ]
    if not rows:
        return None
    names = ("id_a", "id_b", "decision", "by", "at", SEEN, EVENT)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    digest = sha256(frame.write_csv().encode()).hexdigest()[:16]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"verdicts-{digest}.csv"
    if not path.is_file():
        write_private(path, frame.write_csv)
    return path


def _dataset_of(request: MatchRequest) -> str:
    """Under which name the answer will be published."""
    if request.against is not None:
        return open_base(Path(request.against)).description.dataset_name
    return dataset_name_of(request, load_spec(request.spec).name)
