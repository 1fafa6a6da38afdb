"""Families that share mailbox and telephone are no persons: learning ends within what can be true."""

import numpy as np
import polars as pl
import pytest

from core.errors import MatchError
from core.made_records.persons.generator import generate_persons
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.scoring.classes import JUNIOR, KIN, SAME
from core.matching.scoring.histograms import pair_histogram
from core.matching.scoring.learn import learn
from core.matching.scoring.learning.em import train
from core.matching.scoring.learning.plausibility import findings
from core.matching.scoring.random_pairs import random_pairs
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import load_spec
from tests.blocking import always, candidates

FIELDS = ("first_name", "last_name", "dob", "phone", "street", "city", "state", "zip", "email")


def learnt_of(frame: pl.DataFrame):
    spec = always(load_spec("persons").restrict(FIELDS)[0])
    layout = Layout.of(spec)
    words, vocabulary = pack_text(frame.select(spec.columns), layout)
    made = candidates(words, vocabulary, layout)
    drawn = pair_histogram(words, vocabulary, layout, *random_pairs(len(words), 20_000, 3))
    return layout, made, drawn, len(words) * (len(words) - 1) / 2


@pytest.fixture(scope="module")
def lonely() -> pl.DataFrame:
    """Families of whom nobody occurs twice."""
    made = generate_persons(1_500, seed=4, duplicates=0.3, profile="families")
    return made.unique("entity_id", keep="first", maintain_order=True)


def test_families_without_doubles_are_learnt_within_bounds_and_few_are_joined(lonely: pl.DataFrame) -> None:
    layout, made, drawn, total = learnt_of(lonely)
    found = learn(made, drawn, total, layout)
    assert found.way == "bounded"
    assert found.misled in FIELDS
    assert found.refused[0]
    assert found.accepted.pairs <= 2
    assert found.parameters.shares[JUNIOR] > 0.04 * found.parameters.shares[SAME]


def test_families_with_doubles_are_learnt_from_the_data() -> None:
    layout, made, drawn, total = learnt_of(generate_persons(1_500, seed=4, duplicates=0.3, profile="families"))
    found = learn(made, drawn, total, layout)
    assert found.accepted.differ["first_name"] < 0.05
    assert found.accepted.differ["dob"] < 0.02
    assert found.parameters.shares[KIN] * total > 50
    assert found.parameters.implied["city"] == "zip"


def test_learning_from_one_start_is_what_train_gives(lonely: pl.DataFrame) -> None:
    layout, made, drawn, total = learnt_of(generate_persons(600, seed=5, duplicates=0.3))
    found = learn(made, drawn, total, layout)
    assert (found.way, found.refused) == ("free", ())
    assert np.array_equal(found.parameters.tables, train(made, drawn, total, layout).tables)


def test_findings_tell_what_differs_alone_and_together() -> None:
    layout = Layout.of(load_spec("persons").restrict(FIELDS)[0])
    levels = np.full((4, layout.n_fields), MISSING, dtype=np.uint8)
    first, born = layout.names.index("first_name"), layout.names.index("dob")
    levels[:, first] = [0, 0, 6, 6]
    levels[:, born] = [0, 5, 0, 5]
    apart = findings(levels, np.array([10.0, 90.0, 90.0, 810.0]), layout)
    assert apart.differ["first_name"] == pytest.approx(0.1)
    assert apart.together is not None
    assert apart.together[2] == pytest.approx(1.0, abs=0.1)
    assert apart.faults(layout) == []
    together = findings(levels, np.array([90.0, 10.0, 10.0, 890.0]), layout)
    assert together.faults(layout) == ["first_name and dob differ together (10% and 10% of the pairs, odds ratio 731)"]
    mostly = findings(levels, np.array([300.0, 300.0, 100.0, 100.0]), layout)
    assert mostly.faults(layout) == ["first_name differs in 75% of the pairs"]


def test_what_cannot_be_one_person_is_refused_with_the_field_that_misled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody of a home is accepted when bounds and expectations count for nothing."""
    layout, made, drawn, total = learnt_of(
        generate_persons(1_500, seed=4, duplicates=0.3, profile="families").unique("entity_id", maintain_order=True)
    )
    loose = Layout.of(layout.spec.model_copy(update={"match_bits": -40.0, "review_bits": -60.0}))
    with pytest.raises(MatchError, match="cannot be: .*leave one out with"):
        learn(made, drawn, total, loose)
