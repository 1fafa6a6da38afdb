"""How fast pairs are compared on one core: our kernels beside rapidfuzz and DuckDB, with whether they answer alike.

Names: candidate pairs of the spec `persons` whose names differ, for equal ones are told by their code before any kernel
runs. In block order they come as a job makes them; in random order the same pairs are shuffled; dense is every name of
one list with every name of another, the only shape that rapidfuzz's `cdist` serves. Lists of strings and tables for the
others are made before their clock starts, in the order of the pairs, which flatters them: a job would have to make
them.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from core.bench.matching.kernel_data import Blocked, Data, name_pairs, prepare, scorers, shuffled_blocks
from core.bench.matching.systems import INSTALL
from core.linkage.warm import warm
from core.matching.compare.packed_similarity import jaro_winkler_pairs, osa_one_pairs
from core.matching.edges import Edges, merge_edges
from core.matching.records.pair_chunk import scratch_for
from core.matching.records.vocabulary import Vocabulary
from core.matching.scoring.score_pairs import Scorer, score_range

OnProgress = Callable[[str, int, int], None]
"""Called with what is done, how far, of how much."""
Codes = NDArray[np.uint32]
Answers = NDArray[Any]

JARO_WINKLER, OSA_ONE, RECORD, RECORD_AS_IN_A_JOB = "jaro_winkler", "osa <= 1", "record", "record, as in a job"
NAME_PAIRS_MAX = 1_000_000
DENSE = 1_500
REPEATS = 3
LEAST_S = 0.2


@dataclass(frozen=True, slots=True)
class KernelSpeed:
    """One figure.

    Seconds are those of the fastest call: `cpu_s` of all threads of the process (every system is told to use one),
    `wall_s` by the clock. `equal` is the share of answers that are those of the reference to the last bit, rapidfuzz
    for names and our own block order for records, and `largest_difference` how far the others are off; the reference
    itself has None.
    """

    kernel: str
    order: str
    system: str
    version: str
    pairs: int
    pairs_per_s_core: float
    pairs_per_s_wall: float
    cpu_ns_per_pair: float
    cpu_s: float
    wall_s: float
    equal: float | None
    largest_difference: float | None
    records: str
    load_before: float
    measured_at: str


@dataclass(frozen=True, slots=True)
class _Context:
    """What is the same for all figures of a run."""

    records: str
    load_before: float

    def speed(
        self, which: tuple[str, str, str], n_pairs: int, seconds: tuple[float, float], alike: Alike | None
    ) -> KernelSpeed:
        """`which` is kernel, order and system; `seconds` CPU and wall."""
        kernel, order, system = which
        cpu_s, wall_s = seconds
        return KernelSpeed(
            kernel=kernel,
            order=order,
            system=system,
            version=importlib.metadata.version(system.split()[0]),
            pairs=n_pairs,
            pairs_per_s_core=round(n_pairs / cpu_s, 1),
            pairs_per_s_wall=round(n_pairs / wall_s, 1),
            cpu_ns_per_pair=round(cpu_s * 1e9 / n_pairs, 2),
            cpu_s=round(cpu_s, 6),
            wall_s=round(wall_s, 6),
            equal=None if alike is None else alike.share,
            largest_difference=None if alike is None else alike.largest_difference,
            records=self.records,
            load_before=round(self.load_before, 1),
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )


@dataclass(frozen=True, slots=True)
class Alike:
    """Share of equal answers, and the largest difference."""

    share: float
    largest_difference: float

    @classmethod
    def of(cls, found: Answers, reference: Answers) -> Alike:
        """Compare two arrays of answers, bit for bit."""
        off = np.abs(found.astype(np.float64) - reference.astype(np.float64))
        return cls(float((off == 0.0).mean()), float(off.max(initial=0.0)))

    @classmethod
    def of_edges(cls, found: pl.DataFrame, reference: pl.DataFrame) -> Alike:
        """Compare scored pairs: an edge counts as equal when all its columns are."""
        n_equal = found.join(reference, on=found.columns, how="semi").height
        both = found.join(reference, on=["left", "right"], suffix="_there")
        off = (both["bits"] - both["bits_there"]).abs().max()
        return cls(n_equal / max(found.height, reference.height, 1), float(off if isinstance(off, float) else 0.0))


def has_duckdb() -> bool:
    """Whether the extra `peers` is installed."""
    return importlib.util.find_spec("duckdb") is not None


def left_out() -> list[str]:
    """One sentence for each peer that is not installed."""
    return [] if has_duckdb() else [f"duckdb is not installed and is left out: {INSTALL}"]


def measure_kernels(persons: pl.DataFrame, origin: str, seed: int, on_progress: OnProgress) -> list[KernelSpeed]:
    """Measure on the pairs of some persons; the kernels are compiled before.

    Args:
        persons: id and the fields of the spec `persons`, as text; origin: in words where they come from.
        seed: of the shuffling.
    """
    context = _Context(origin, os.getloadavg()[0])
    on_progress("compiling", 0, 1)
    warm()
    data = prepare(persons)
    found: list[KernelSpeed] = []
    total = 2 * (5 if has_duckdb() else 4) + 4 + 3
    on_progress("measuring", 0, total)
    for figures in (_names(data, seed, context), _records(data, seed, context)):
        for one in figures:
            found.append(one)
            on_progress("measuring", len(found), total)
    return found


def fastest(work: Callable[[], object]) -> tuple[float, float]:
    """Least CPU and least wall seconds of a call: at least three calls and 0.2 s of them, after one that warms up."""
    work()
    cpu_s: list[float] = []
    wall_s: list[float] = []
    while len(cpu_s) < REPEATS or sum(cpu_s) < LEAST_S:
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        cpu_s.append(time.process_time() - cpu)
        wall_s.append(time.perf_counter() - wall)
    return max(min(cpu_s), 1e-9), max(min(wall_s), 1e-9)


def _names(data: Data, seed: int, context: _Context) -> Iterator[KernelSpeed]:
    left, right = name_pairs(data, NAME_PAIRS_MAX)
    draw = np.random.default_rng(seed)
    shuffled = draw.permutation(len(left))
    yield from _paired(data.vocabulary, (left, right), "block", context)
    yield from _paired(data.vocabulary, (left[shuffled], right[shuffled]), "random", context)
    codes = np.unique(np.concatenate([left, right]))
    # One code a bare name.
    _, first = np.unique(data.vocabulary.arrays.hash[codes], return_index=True)
    some = draw.permutation(codes[first])[: 2 * DENSE]
    middle = len(some) // 2
    yield from _dense(data.vocabulary, (some[:middle], some[middle : 2 * middle]), context)


class _Ours:
    """Our kernels on pairs of codes; each call fills the same array."""

    def __init__(self, vocabulary: Vocabulary, codes: tuple[Codes, Codes]) -> None:
        arrays, scratch = vocabulary.arrays, scratch_for(vocabulary)
        self._table = (arrays.points, arrays.starts, arrays.packed)
        self._flags, self._rows, self._codes = scratch.flags, scratch.rows, codes
        self.similar = np.zeros(len(codes[0]))
        self.within_one = np.zeros(len(codes[0]), dtype=np.bool_)

    def jaro_winkler(self) -> None:
        """Fill `similar`."""
        jaro_winkler_pairs(self._table, self._codes, self._flags, self.similar)

    def osa_one(self) -> None:
        """Fill `within_one`."""
        osa_one_pairs(self._table, self._codes, self._rows, self.within_one)


def _paired(vocabulary: Vocabulary, codes: tuple[Codes, Codes], order: str, context: _Context) -> Iterator[KernelSpeed]:
    """One name with one name: ours, `cpdist` and DuckDB."""
    n_pairs, ours = len(codes[0]), _Ours(vocabulary, codes)
    texts = tuple(vocabulary.bare_strings.gather(side).to_list() for side in codes)

    # float32 and int8 are the fastest of the types that cpdist offers; bits are compared in float64.
    def similar(dtype: type = np.float32) -> Answers:
        return process.cpdist(*texts, scorer=JaroWinkler.similarity, dtype=dtype, workers=1)

    def distant() -> Answers:
        return process.cpdist(*texts, scorer=OSA.distance, score_cutoff=1, dtype=np.int8, workers=1)

    seconds, reference = fastest(ours.jaro_winkler), similar(np.float64).ravel()
    alike = Alike.of(ours.similar, reference)
    yield context.speed((JARO_WINKLER, order, "headrace"), n_pairs, seconds, alike)
    yield context.speed((JARO_WINKLER, order, "rapidfuzz cpdist"), n_pairs, fastest(similar), None)
    if has_duckdb():
        seconds, found = _duckdb(texts[0], texts[1])
        yield context.speed((JARO_WINKLER, order, "duckdb"), n_pairs, seconds, Alike.of(found, reference))
    seconds, within_one = fastest(ours.osa_one), distant().ravel() <= 1
    yield context.speed((OSA_ONE, order, "headrace"), n_pairs, seconds, Alike.of(ours.within_one, within_one))
    yield context.speed((OSA_ONE, order, "rapidfuzz cpdist"), n_pairs, fastest(distant), None)


def _dense(vocabulary: Vocabulary, codes: tuple[Codes, Codes], context: _Context) -> Iterator[KernelSpeed]:
    """Every name of one list with every name of another: ours and `cdist`, which compares several at once (SIMD)."""
    n_left, n_right = (len(side) for side in codes)
    n_pairs, ours = n_left * n_right, _Ours(vocabulary, (np.repeat(codes[0], n_right), np.tile(codes[1], n_left)))
    texts = tuple(vocabulary.bare_strings.gather(side).to_list() for side in codes)

    def similar(dtype: type = np.float32) -> Answers:
        return process.cdist(*texts, scorer=JaroWinkler.similarity, dtype=dtype, workers=1)

    def distant() -> Answers:
        return process.cdist(*texts, scorer=OSA.distance, score_cutoff=1, dtype=np.int8, workers=1)

    seconds, alike = fastest(ours.jaro_winkler), Alike.of(ours.similar, similar(np.float64).ravel())
    yield context.speed((JARO_WINKLER, "dense", "headrace"), n_pairs, seconds, alike)
    yield context.speed((JARO_WINKLER, "dense", "rapidfuzz cdist"), n_pairs, fastest(similar), None)
    seconds, alike = fastest(ours.osa_one), Alike.of(ours.within_one, distant().ravel() <= 1)
    yield context.speed((OSA_ONE, "dense", "headrace"), n_pairs, seconds, alike)
    yield context.speed((OSA_ONE, "dense", "rapidfuzz cdist"), n_pairs, fastest(distant), None)


def _duckdb(left: list[str], right: list[str]) -> tuple[tuple[float, float], Answers]:
    """From a table of its own to an array; CPU and wall seconds, and the similarities."""
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.from_arrow(pl.DataFrame({"a": left, "b": right}).to_arrow()).create("pairs")
        sides = (duckdb.ColumnExpression("a"), duckdb.ColumnExpression("b"))
        asked = connection.table("pairs").select(
            duckdb.FunctionExpression("jaro_winkler_similarity", *sides).alias("similarity")
        )
        return fastest(asked.fetchnumpy), np.asarray(asked.fetchnumpy()["similarity"])


def _records(data: Data, seed: int, context: _Context) -> Iterator[KernelSpeed]:
    """Whole records: every candidate pair of every pass, in block order and shuffled; and what a job makes of them."""
    every_pair, as_in_a_job = scorers(data, seed)
    strewn = [shuffled_blocks(data, seed)]
    n_pairs = sum(len(left) for left, _ in data.pairs)
    seconds, reference = _scored(data, every_pair, data.blocked)
    yield context.speed((RECORD, "block", "headrace"), n_pairs, seconds, None)
    seconds, found = _scored(data, every_pair, strewn)
    # Shuffled pairs belong to no pass.
    alike = Alike.of_edges(found.drop("passes"), reference)
    yield context.speed((RECORD, "random", "headrace"), n_pairs, seconds, alike)
    seconds, found = _scored(data, as_in_a_job, data.blocked)
    yield context.speed((RECORD_AS_IN_A_JOB, "block", "headrace"), n_pairs, seconds, Alike.of_edges(found, reference))


def _scored(data: Data, scorer: Scorer, blocked: list[Blocked]) -> tuple[tuple[float, float], pl.DataFrame]:
    """CPU and wall seconds to score all blocks, and the edges."""
    edges: list[Edges] = []

    def work() -> None:
        edges[:] = [
            score_range(data.words, each.rows, each.keys, scorer, number)[0] for number, each in enumerate(blocked)
        ]

    return fastest(work), merge_edges(edges).to_frame()
