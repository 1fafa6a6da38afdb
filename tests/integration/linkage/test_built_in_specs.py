"""Each built-in spec of things on made records: fields and passes that find most, and join little that differs."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.bench.matching.across import evaluate_across
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.run_record import read_record
from core.made_records.kinds import KINDS, make_records
from core.matching.quality.evaluation import Evaluation

# Kind: spec, and floors of precision and recall, a little below what it gave.
FLOORS = {
    "suppliers": ("suppliers", 0.96, 0.90),
    "sites": ("places", 0.70, 0.85),
    "catalogues-electronics": ("products", 0.88, 0.80),
    "papers-scraped": ("publications", 0.88, 0.88),
    "companies": ("names", 0.82, 0.60),
    "ledgers": ("ledgers", 0.88, 0.80),
}


def matched(kind: str, spec: str, folder: Path) -> Evaluation:
    """What a spec as it comes finds in 1,500 records of a kind."""
    frames = make_records(kind, 1_500, seed=2)
    paths = [folder / f"{number}.parquet" for number in range(len(frames))]
    for frame, path in zip(frames, paths, strict=True):
        frame.drop("entity_id").write_parquet(path)
    request = MatchRequest(
        input=str(paths[0]),
        link=tuple(map(str, paths[1:])),
        id_column="id",
        spec=spec,
        shared=tuple(
            str(number) for number in range(len(paths)) if KINDS[kind].shared and number not in KINDS[kind].shared
        ),
        out=str(folder / "out.parquet"),
    )
    resolve(request, folder / "work")
    truth = [frame.select("id", true="entity_id", source=pl.lit(number)) for number, frame in enumerate(frames)]
    return evaluate_across(pl.read_parquet(folder / "out.parquet"), pl.concat(truth))


@pytest.mark.parametrize("kind", FLOORS)
def test_spec_as_it_comes_finds_most_and_joins_little_that_differs(kind: str, tmp_path: Path) -> None:
    spec, precision, recall = FLOORS[kind]
    found = matched(kind, spec, tmp_path)
    assert found.pairwise.precision >= precision
    assert found.pairwise.recall >= recall
    learnt = read_record(tmp_path / "out.parquet").model.learning
    assert (learnt["way"] == "usual") == (spec == "names")
