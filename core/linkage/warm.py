"""Compile every kernel once, so that no first run pays for it: `python -m core.linkage.warm`.

Kernels are cached beside their sources (or in the user's cache folder where those are read-only). A tiny job is run
from file to entities, because a kernel is compiled for the exact types it meets there. A second process begins with
those that compare and score, which are half of the work and come late in a job; no kernel is compiled by both.
What a first job seldom needs is compiled by `python -m core.linkage.warm more`, or by the first run that needs it:
kernels of texts (kind `words`), of JSON, of explanations, of links and of increments.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
from numba.core import event
from numpy.typing import NDArray

from core.intake.whole_columns import read_table
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.explanation import explain, run_of_output
from core.matching.blocking.nearest_texts import WordGrams, nearest_texts
from core.matching.clustering.cluster import cluster
from core.matching.compare.patterns import compare_patterns
from core.matching.compare.words.neighbours import near_words
from core.matching.edges import Edges
from core.matching.quality.word_evidence import word_evidence
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.records.sources import WITHIN_ONE
from core.matching.records.vocabulary import Vocabulary
from core.matching.records.words.token_table import WordRules
from core.matching.scoring.classes import CLASSES
from core.matching.scoring.model import WeightArrays
from core.matching.scoring.score_pairs import Scorer, score_range
from core.matching.specs.passes import PassSpec
from core.matching.specs.spec import FieldSpec, MatchSpec, load_spec
from core.matching.standardise.normalise import normalise
from core.matching.text.distinct import by_head
from core.processes import python

# From 2,000 rows on pairs are drawn instead of listed, by a kernel of its own.
N_PERSONS = 2_000
DOTS = "KERNEL_DOTS"
# Share of pairs that are one person: of three empty records none fits another.
UNLIKELY = 1e-9


def _persons() -> pl.DataFrame:
    """People enough that every stage has work; what they are called matters to no one."""
    number = pl.int_range(N_PERSONS, eager=True)
    person = number // 2
    text = person.cast(pl.String)
    return pl.DataFrame(
        {
            "id": number.cast(pl.String),
            "first_name": "ann" + text + (number % 2).cast(pl.String),
            "last_name": "oak" + text,
            "dob": (19400101 + person % 28 + 10000 * (person % 60)).cast(pl.String),
            "ssn": (100_000_000 + person * 7919).cast(pl.String),
            "phone": (2_025_550_000 + person).cast(pl.String),
            "street": text + " elm street",
            "city": "town " + (person % 40).cast(pl.String),
            "state": "ny",
            "zip": (10_000 + person % 90).cast(pl.String),
            "email": "ann" + text + "@example.org",
        }
    )


def show_dots() -> None:
    """Write a dot to the standard output for each kernel that is compiled, where the environment asks for it."""
    if os.environ.get(DOTS) == "1":
        register: Callable[[str, event.Listener], None] = event.register
        register("numba:compile", _Dots())


class _Dots(event.Listener):
    def on_start(self, _: event.Event) -> None:
        return

    def on_end(self, what: event.Event) -> None:
        if what.data is not None and what.data["dispatcher"].py_func.__module__.startswith("core."):
            os.write(sys.stdout.fileno(), b".")


def warm() -> float:
    """Compile, in two processes; returns the seconds it took (about three when all is cached)."""
    started = time.perf_counter()
    show_dots()
    with (
        subprocess.Popen(python("core.linkage.warm", "scoring")),  # noqa: S603 - our own module
        subprocess.Popen(python("core.linkage.warm", "clustering")),  # noqa: S603 - our own module
        tempfile.TemporaryDirectory(prefix="headrace-warm-") as folder,
    ):
        _run_jobs(Path(folder))
    return time.perf_counter() - started


def _run_jobs(folder: Path) -> None:
    resolve(_request(folder, "persons.csv"), folder / "workspaces")


def _request(folder: Path, name: str) -> MatchRequest:
    """A job over the people, who are written for it."""
    path = folder / name
    _persons().with_columns(id=path.stem + " " + pl.col("id")).write_csv(path)
    return MatchRequest(input=str(path), id_column="id", out=str(path.with_suffix(".parquet")))


def warm_more() -> None:
    """Compile what few jobs need: other forms of files, explanations, increments, links and texts."""
    with tempfile.TemporaryDirectory(prefix="headrace-warm-") as name:
        folder = Path(name)
        for form, text in ((".jsonl", _persons()[:9].write_ndjson()), (".json", _persons()[:9].write_json())):
            # Read by kernels of their own; what comes behind them is the same for every kind of file.
            path = folder / f"persons{form}"
            path.write_text(text)
            read_table(path)
        first, second = _request(folder, "first.csv"), _request(folder, "second.csv")
        for request in (
            first,
            second.model_copy(update={"against": first.out, "allow_drift": True}),
            first.model_copy(update={"link": (second.input,), "one_to_one": True}),
        ):
            resolve(request, folder / "workspaces")
        explain(run_of_output(Path(str(second.out))), "first 0", "first 1")
    _warm_texts()


def warm_scoring() -> None:
    """Compile what compares and scores, on three empty records: types are all that counts."""
    words, rows, scorer = _empty_records()
    compare_patterns(words, scorer.vocabulary, scorer.layout, rows[:1], rows[1:2])
    score_range(words, rows, np.ones(3, dtype=np.uint64), scorer)


def warm_clustering() -> None:
    """Compile what clusters, on two pairs of three empty records: the third pair does not fit, so a record is torn."""
    words, _, scorer = _empty_records()
    ends, zeros = np.array([[0, 0], [1, 2]], dtype=np.uint32), np.zeros(2, dtype=np.float32)
    edges = Edges(ends[0], ends[1], zeros, zeros, np.zeros(2, dtype=np.uint64), np.zeros(2, dtype=np.uint32))
    cluster(edges, words, scorer, 3, -1.0)
    # Columns of more strings than one part holds are sorted by their heads.
    by_head(pl.Series(["ann"]))


def _empty_records() -> tuple[NDArray[np.uint32], NDArray[np.uint32], Scorer]:
    """Three records and their rows, and what scores each pair of them far below any threshold."""
    layout = Layout.of(load_spec("persons"))
    vocabulary = Vocabulary.of_strings(["ann"])
    shares = np.full(len(CLASSES), UNLIKELY)
    shares[-1] = 1.0
    weights = WeightArrays(
        bits=np.zeros((layout.n_fields, max(layout.n_levels), len(CLASSES))),
        shares=shares,
        tf_row=np.full(layout.n_fields, -1, dtype=np.int32),
        tf_counts=np.zeros((len(CLASSES), layout.n_fields)),
        tf=np.zeros((0, len(vocabulary)), dtype=np.float32),
        implied=np.full(layout.n_fields, -1, dtype=np.int32),
        in_order=True,
    )
    words = np.zeros((3, layout.stride), dtype=np.uint32)
    return words, np.arange(3, dtype=np.uint32), Scorer(vocabulary, layout, weights, 0.0)


def _warm_texts() -> None:
    """Compile what finds and weighs the words of texts, and what explains them, on two titles."""
    passes = (PassSpec(name="title", keys=("title",)),)
    layout = Layout.of(MatchSpec(name="texts", fields=(FieldSpec(name="title", kind="words"),), passes=passes))
    titles = pl.DataFrame({"title": ["oak mill 16gb", "oak mil 16 gb"]})
    words, vocabulary = pack_text(titles, layout, rules=WordRules(near_words))
    word_evidence(normalise(titles, layout.spec), words, vocabulary.arrays.tokens, layout, None)
    n_codes = len(vocabulary.arrays.tokens.weights)
    points = np.zeros(n_codes, dtype=np.uint32), np.arange(n_codes + 1, dtype=np.int64)
    grams = WordGrams.of(np.arange(n_codes, dtype=np.uint64), points)
    rule = PassSpec(name="near", top=1, of="grams(title)")
    with ThreadPoolExecutor(1) as pool:
        nearest_texts(words, layout, rule, grams, WITHIN_ONE, pool)


if __name__ == "__main__":
    alone = {"scoring": warm_scoring, "clustering": warm_clustering, "more": warm_more}
    if sys.argv[1:]:
        show_dots()
        alone[sys.argv[1]]()
    else:
        print(f"kernels ready in {warm():.1f} s")  # noqa: T201
