"""The order of the rows decides nothing: a shuffled file has the same model and the same entities, in every spec."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.run_record import read_record
from core.linkage.stages import plan, train
from core.made_records.kinds import make_records
from core.made_records.persons.generator import generate_persons
from core.matching.scoring import chance_agreement, histograms, random_pairs
from core.matching.specs.spec import built_in_specs

WORDS = ("Harbour", "Alpine", "Nordic", "Summit", "Cobalt", "Meridian", "Granite", "Lantern", "Orchard", "Falcon")


def persons() -> pl.DataFrame:
    return generate_persons(900, seed=11, duplicates=0.4).drop("entity_id")


def freeform() -> pl.DataFrame:
    """Where people were born has nothing to do with where they live: else whole streets would be one person."""
    made = generate_persons(900, seed=11, duplicates=0.4)
    born_in = pl.format("Port {} {}", pl.lit(pl.Series(WORDS)).gather(pl.col("entity_id").hash(1) % 10), "entity_place")
    made = made.with_columns(entity_place=pl.col("entity_id").hash(2) % 20)
    name = pl.concat_str("first_name", "last_name", separator=" ")
    return made.select("id", name.alias("name"), "dob", born_in.alias("birth_place"), "zip")


def organisations() -> pl.DataFrame:
    made = persons().with_row_index("n")
    number = pl.col("last_name").hash(1)
    words = pl.Series(WORDS)
    name = pl.format(
        "{} {} {}", pl.lit(words).gather(number % len(WORDS)), pl.col("last_name").fill_null("Oakley"), pl.lit("Ltd")
    )
    return made.select("id", name.alias("name"), "street", "city", "zip", "phone")


def made(kind: str) -> pl.DataFrame:
    """Records of a made kind in one file, without the truth."""
    return pl.concat(make_records(kind, 700, seed=3)).drop("entity_id")


KINDS = {
    "suppliers": "suppliers", "places": "sites", "products": "catalogues-electronics", "publications": "papers-clean",
    "ledgers": "ledgers", "names": "companies",
}  # fmt: skip
MADE: dict[str, Callable[[], pl.DataFrame]] = {
    "persons": persons, "persons_freeform": freeform, "organisations": organisations,
    **{spec: partial(made, kind) for spec, kind in KINDS.items()},
}  # fmt: skip


@pytest.fixture(autouse=True)
def small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is drawn of a large file is drawn of this one."""
    monkeypatch.setattr(train, "RANDOM_PAIRS", 3_000)
    monkeypatch.setattr(histograms, "PAIRS_PER_PASS", 60)
    monkeypatch.setattr(histograms, "WINDOW_DEFAULT", 6)
    monkeypatch.setattr(chance_agreement, "ROWS_MAX", 700)
    monkeypatch.setattr(chance_agreement, "PAIRS_MAX", 50)
    monkeypatch.setattr(random_pairs, "SAMPLE_ROWS", 800)
    monkeypatch.setattr(plan, "WINDOWS", (4,))


def matched(frame: pl.DataFrame, spec: str, folder: Path) -> Path:
    folder.mkdir()
    frame.write_parquet(folder / "in.parquet")
    entities = str(folder / "golden.parquet")
    request = MatchRequest(
        input=str(folder / "in.parquet"), id_column="id", spec=spec, out=str(folder / "out.parquet"), entities=entities
    )
    resolve(request, folder / "work")
    return folder


@pytest.mark.parametrize("spec", built_in_specs())
def test_a_shuffled_file_has_the_same_model_entities_and_golden_records(spec: str, tmp_path: Path) -> None:
    frame = MADE[spec]()
    one = matched(frame, spec, tmp_path / "one")
    two = matched(frame.sample(fraction=1.0, shuffle=True, seed=4), spec, tmp_path / "two")

    models = [read_record(folder / "out.parquet").model for folder in (one, two)]
    assert models[0].fields == models[1].fields
    assert models[0].prior_bits == models[1].prior_bits
    for name in ("out", "golden"):
        key = "id" if name == "out" else "entity_id"
        assert (
            pl.read_parquet(one / f"{name}.parquet")
            .sort(key)
            .equals(pl.read_parquet(two / f"{name}.parquet").sort(key))
        ), name
    assert pl.read_parquet(one / "golden.parquet").height < frame.height
