"""Wide passes in a run: made as far as there is room, and told of everywhere; later runs and look-ups follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from core.linkage import job
from core.linkage.history.base_run import open_base
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results import outputs
from core.linkage.results.explanation import explain, run_of_output
from core.linkage.results.report_facts import gather
from core.linkage.results.report_page import render
from core.made_records.persons.generator import generate_persons
from core.matching.specs.spec import load_spec

SPEC = """
name: people
fields:
  - {name: first_name, kind: given_name, term_frequency: true}
  - {name: last_name, kind: surname, term_frequency: true, belongs_to: family}
  - {name: dob, kind: date}
  - {name: city, kind: city, term_frequency: true, belongs_to: home}
  - {name: zip, kind: code, belongs_to: home}
passes:
  - {name: born_surname, keys: [dob, sound(last_name)]}
  - {name: born_given, keys: [dob, nick(first_name)]}
  - {name: names_zip, keys: [sound(last_name), nick(first_name), zip]}
  - {name: wide_state, wide: true, keys: ["prefix(zip, 1)"]}
  - {name: wide_city, wide: true, keys: [city]}
  - {name: wide_surname, wide: true, keys: [sound(last_name)]}
"""
ROOM = 2_000
OF_STATE, OF_CITY = 1 << 3, 1 << 4


def run(folder: Path, name: str, out: str, **extra: Any) -> dict[str, Any]:
    request = MatchRequest(
        input=str(folder / name), id_column="id", out=str(folder / out), spec=str(folder / "people.yaml"), **extra
    )
    return resolve(request, folder / "work")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A match of 400 persons, with room for the pairs of one city and of one surname, but not of one state."""
    folder = tmp_path_factory.mktemp("wide")
    (folder / "people.yaml").write_text(SPEC)
    columns = ["id", "first_name", "last_name", "dob", "city", "zip"]
    persons = generate_persons(400, seed=9, duplicates=0.3).select(columns)
    # One woman who married, moved her birthday and dropped a syllable: only her city is left of her.
    twice = pl.DataFrame(
        [
            ("W1", "Rosalinde", "Achterberg", "1961-04-12", "Quillfield", "90017"),
            ("W2", "Linde", "Oduya", "1962-05-12", "Quillfield", "90018"),
            ("W3", "Rosalind", "Uttley", "1983-11-02", "Marchester", "90331"),
        ],
        schema=dict.fromkeys(columns, pl.String),
        orient="row",
    )
    pl.concat([persons.cast(pl.String), twice]).write_csv(folder / "people.csv")
    persons[:40].with_columns(id=pl.lit("N") + pl.col("id")).write_csv(folder / "new.csv")
    with pytest.MonkeyPatch.context() as patch:
        for module in (job, outputs):
            patch.setattr(module, "room_of", lambda n_rows: ROOM)
        summary = run(folder, "people.csv", "base.parquet")
        (folder / "summary.json").write_bytes(orjson.dumps(summary))
        yield folder


def test_wide_passes_are_made_as_far_as_there_is_room(folder: Path) -> None:
    record = orjson.loads((folder / "base.run.json").read_bytes())
    figures = {each["name"]: each for each in record["passes"]}
    assert [figures[name]["used"] for name in ("born_surname", "wide_state", "wide_city", "wide_surname")] == [
        True,
        False,
        True,
        True,
    ]
    assert figures["wide_state"]["left_out"] > ROOM >= figures["wide_city"]["pairs"] > 0
    summary = orjson.loads((folder / "summary.json").read_bytes())
    assert "wide passes that there was no room for: wide_state" in summary["notices"]
    assert summary["candidate_pairs"] == sum(each["pairs"] for each in record["passes"])


def test_no_pair_is_said_to_be_of_a_pass_that_was_not_made(folder: Path) -> None:
    made = pl.read_parquet(folder / "base.pairs.parquet")["passes"]
    assert (made & OF_STATE).sum() == 0
    assert (made & OF_CITY).sum() > 0
    assert "wide_state (no room)" in render(gather(folder / "base.parquet", with_values=False))


def test_an_explanation_says_which_pass_would_have_made_a_pair(folder: Path) -> None:
    run_ = run_of_output(folder / "base.parquet")
    near, far = explain(run_, "W1", "W2"), explain(run_, "W1", "W3")
    assert near.compared_by == ("wide_city",)
    assert far.compared_by == ()
    assert [line for line in far.to_lines() if "left out by" in line] == [
        "left out by wide_state: a wide pass, for whose pairs the run had no room"
    ]
    assert "wide_state" not in (*near.missed_by, *far.missed_by)


def test_an_increment_makes_the_passes_of_its_base(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_base(folder / "base.parquet").frozen.left_out == ("wide_state",)
    # Now there would be room for all.
    for module in (job, outputs):
        monkeypatch.setattr(module, "room_of", lambda n_rows: 1_000_000)
    run(folder, "new.csv", "more.parquet", against=str(folder / "base.parquet"), allow_drift=True)
    record = orjson.loads((folder / "more.run.json").read_bytes())
    assert [each["name"] for each in record["passes"] if not each["used"]] == ["wide_state"]
    assert (pl.read_parquet(folder / "more.pairs.parquet")["passes"] & OF_STATE).sum() == 0


@pytest.mark.parametrize("name", ["persons", "persons_freeform"])
def test_wide_passes_of_built_in_specs_can_be_cut(name: str) -> None:
    spec = load_spec(name)
    wide = spec.passes[spec.n_always :]
    assert len(wide) >= 8
    assert all(each.refine for each in wide), "a file in which half of the values are one would use up the room"
