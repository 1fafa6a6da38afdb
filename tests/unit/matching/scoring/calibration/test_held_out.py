import numpy as np
import polars as pl
import pytest

from core.made_records.persons.generator import generate_persons
from core.matching.blocking.shared_passes import shared_passes
from core.matching.compare.patterns import compare_pairs, levels_of
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.scoring.calibration import held_out as under_test
from core.matching.scoring.calibration.held_out import KNOTS, Calibration, Line
from core.matching.scoring.calibration.level_scores import level_scores
from core.matching.scoring.evidence import evidence
from core.matching.scoring.histograms import held_out_fields, pair_histogram, passes_without
from core.matching.scoring.implied_fields import without_implied
from core.matching.scoring.learn import learn
from core.matching.scoring.model import Model
from core.matching.scoring.random_pairs import random_pairs
from core.matching.specs.spec import load_spec
from tests.blocking import candidates

FIELDS = ("first_name", "last_name", "dob", "ssn", "phone", "street", "city", "state", "zip", "email")


def laid_out(frame: pl.DataFrame):
    spec, _ = load_spec("persons").restrict(FIELDS)
    layout = Layout.of(spec)
    words, vocabulary = pack_text(frame.select(spec.columns), layout)
    return layout, words, vocabulary


def asked(true_odds: np.ndarray, seed: int) -> np.ndarray:
    """What a field left out says of pairs: it agrees in 90 % of one person's and in 1 % of others'."""
    draw = np.random.default_rng(seed)
    true = draw.random(len(true_odds)) < 1.0 / (1.0 + np.exp2(-true_odds))
    agrees = draw.random(len(true_odds)) < np.where(true, 0.9, 0.01)
    return np.where(agrees, np.log2(0.9 / 0.01), np.log2(0.1 / 0.99))


def test_scores_that_say_too_little_are_raised_and_true_ones_stay() -> None:
    scores = np.random.default_rng(1).uniform(-12.0, 9.0, 40_000)
    # Each disagreement counted a half too much.
    true_odds = scores * 0.6 + 1.0
    found = under_test._fitted(scores, asked(true_odds, 2), np.ones(len(scores)))
    middle = np.array([-6.0, -3.0, 0.0, 3.0])
    assert found.corrected(middle) == pytest.approx(middle * 0.6 + 1.0, abs=0.5)
    honest = under_test._fitted(scores, asked(scores, 3), np.ones(len(scores)))
    assert honest.corrected(middle) == pytest.approx(middle, abs=0.5)
    assert max(honest.error[2:6]) < 0.5


@pytest.mark.parametrize(
    ("shift", "log_odds", "expected"),
    [
        ((0.0,) * 8, -6.0, -6.0),
        ((4.0, 4.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0), -6.0, -10.0),
        ((4.0, 4.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0), -5.0, -8.0),
        ((4.0, 4.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0), -12.0, -16.0),
        ((4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0), 11.0, 12.0),
        # Scores between two knots that are worth the same.
        ((4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), -10.0, -14.0),
    ],
)
def test_the_least_score_is_the_lowest_that_is_worth_the_odds(shift, log_odds, expected) -> None:
    assert Line(shift).least_score(log_odds) == pytest.approx(expected)


def test_pairs_are_worth_a_look_by_what_their_scores_are_worth_or_if_accepted() -> None:
    raised, lowered = Line((3.0,) * 8), Line((-20.0,) * 8)
    spec = load_spec("persons").model_copy(update={"match_bits": 3.0, "review_bits": -6.0})
    calibration = Calibration(raised, lowered, n_always=2)
    scores, passes = (
        np.array([-9.5, -8.9, -8.9, 2.9, 3.1], dtype=np.float32),
        np.array([1, 1, 4, 4, 4], dtype=np.uint32),
    )
    assert calibration.worth_a_look(scores, passes, spec).tolist() == [False, True, False, False, True]
    assert calibration.least_score(spec) == pytest.approx(-9.0, abs=1e-3)


def test_without_pairs_to_ask_scores_are_taken_at_their_word() -> None:
    nothing = np.zeros(0)
    found = under_test._fitted(nothing, nothing, nothing)
    assert found.shift == pytest.approx(under_test.EXPECTED)
    assert max(found.error) <= 2.0
    assert Calibration().probability(np.array([0.0, 3.0])) == pytest.approx([0.5, 8 / 9])


def test_no_score_falls_below_a_lower_one_whatever_was_learnt() -> None:
    scores = np.linspace(-40.0, 40.0, 801)
    wild = Line(tuple(np.random.default_rng(4).normal(0.0, 9.0, len(KNOTS)).tolist()), (3.0,) * len(KNOTS))
    for errors in (-2.0, 0.0, 2.0):
        assert np.diff(wild.moved(errors).corrected(scores)).min() >= -1e-9


def test_a_field_is_left_out_only_of_pairs_that_were_made_without_it() -> None:
    layout, words, vocabulary = laid_out(generate_persons(400, seed=6, duplicates=0.5))
    names = [layout.names[row] for row in held_out_fields(layout)]
    assert names == ["first_name", "dob", "ssn"]
    made = candidates(words, vocabulary, layout)
    assert made.without.shape == (len(made.patterns), 3)
    masks = dict(zip(names, passes_without(layout).tolist(), strict=True))
    for number, each in enumerate(layout.spec.passes):
        assert bool(masks["dob"] >> number & 1) == ("dob" not in " ".join(each.keys))
    # Each pair once, and never more often than among all passes.
    assert (made.without <= made.counts[:, None] + 1e-3).all()
    assert (made.without.sum(axis=0) > 100).all()
    assert np.allclose(made.without, np.rint(made.without), atol=1e-3)


def test_expected_true_pairs_below_the_threshold_are_nearly_as_many_as_there_are() -> None:
    """Records of customers are badly kept: scores alone expect too few."""
    frame = generate_persons(5_000, seed=2, duplicates=0.3, profile="international")
    layout, words, vocabulary = laid_out(frame)
    made = candidates(words, vocabulary, layout)
    drawn = pair_histogram(words, vocabulary, layout, *random_pairs(len(words), 20_000, 3))
    found = learn(made, drawn, len(words) * (len(words) - 1) / 2, layout)
    assert found.to_dict()["calibration"]["shift"] == list(found.calibration.always.shift)
    bits, shares = evidence(found.parameters, layout).transpose(1, 2, 0), np.log2(found.parameters.shares)

    def scored(levels: np.ndarray) -> np.ndarray:
        return level_scores(without_implied(levels, found.parameters.implied, layout), bits, shares)

    rows = frame.with_row_index("row").select("row", "entity_id")
    pairs = rows.join(rows, on="entity_id").filter(pl.col("row") < pl.col("row_right"))
    left, right = pairs["row"].to_numpy(), pairs["row_right"].to_numpy()
    met = shared_passes(words, (left, right), vocabulary, layout) != 0
    scores = scored(compare_pairs(words, vocabulary, layout, left[met], right[met]))
    true = int(((scores >= -6.0) & (scores < 3.0)).sum())
    scores = scored(levels_of(made.patterns, layout))
    review = (scores >= -6.0) & (scores < 3.0)
    stated, calibrated = (
        float((each.probability(scores[review]) * made.counts[review]).sum())
        for each in (Calibration(), found.calibration)
    )
    assert stated < 0.8 * true
    assert true - calibrated < 0.6 * (true - stated)


def test_a_model_of_an_older_version_is_taken_at_its_word() -> None:
    model = Model(
        spec_fingerprint="", data_fingerprint="", fields=(), shares={}, n_rows=0, total_pairs=0.0, iterations=0,
        converged=True, term_tables={},
    )  # fmt: skip
    assert Calibration.of(model).log_odds(np.array([-5.0, 5.0])).tolist() == [-5.0, 5.0]
    known = Calibration(Line((1.0,) * len(KNOTS)), Line((-2.0,) * len(KNOTS), (0.5,) * len(KNOTS)), 3)
    assert Calibration.of(model.model_copy(update={"learning": {"calibration": known.to_dict()}})) == known


def test_pairs_of_wide_passes_alone_have_a_line_of_their_own() -> None:
    both = Calibration(Line((1.0,) * len(KNOTS)), Line((-2.0,) * len(KNOTS)), 3)
    scores, passes = np.zeros(4), np.array([0b00001, 0b11000, 0b11100, 0], dtype=np.uint32)
    # Nothing is known of the passes of the last one.
    assert both.log_odds(scores, passes).tolist() == [1.0, -2.0, 1.0, 1.0]
    assert both.log_odds(scores).tolist() == [1.0] * 4
    more, less = (both.moved(errors).log_odds(scores, passes) for errors in (1.0, -1.0))
    assert (more > both.log_odds(scores, passes) + 2.0).all()
    assert (less < both.log_odds(scores, passes) - 2.0).all()
