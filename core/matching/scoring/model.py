"""The trained model: what was learnt, as one JSON file, and as tables for the scoring kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from core.errors import MatchError
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import Vocabulary
from core.matching.scoring.classes import CLASSES, N_ONE_PERSON, SAME, T_CHANCE, TABLES, rarity_counts
from core.matching.scoring.evidence import evidence
from core.matching.scoring.implied_fields import rows_of
from core.matching.scoring.learning.em import Parameters
from core.matching.text.marks import bare_of

TF_COUNT_MIN = 2
TF_VALUES_MAX = 50_000
# From this share of the records on, and TF_COUNT_MIN, a name is one that many bear, and no slip of another.
WELL_KNOWN_SHARE, WELL_KNOWN_COUNT = 1e-4, 10
TF_KINDS = frozenset({"given_name", "surname", "city", "text"})
TF_BITS_MIN, TF_BITS_MAX = -8.0, 6.0
# Agreement on the commonest value and a near agreement on any meet: the first is raised until it weighs at most this
# much less than the second is learnt to, and the second is lowered by the rest.
TF_BITS_BELOW = 1.0


class FieldModel(BaseModel):
    """Level shares of one field, and bits of evidence against chance; index 0 = differ ... last = exact.

    `shares` by table, `bits` by class (see `classes`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    levels: tuple[str, ...]
    shares: dict[str, tuple[float, ...]]
    bits: dict[str, tuple[float, ...]]


class TermTable(BaseModel):
    """How often the frequent values of a field occur, among how many present ones; `rest`: any other one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_present: int
    counts: dict[str, int]
    # Models of older versions counted what they do not list as this.
    rest: int = 5
    # Agreement on a frequent value weighs at most so many bits less than agreement as such.
    lowest: float = TF_BITS_MIN


class Model(BaseModel):
    """A trained model. Its JSON names persons' names: keep the file at mode 0600."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    spec_fingerprint: str
    data_fingerprint: str
    fields: tuple[FieldModel, ...]
    shares: dict[str, float]
    n_rows: int
    total_pairs: float
    iterations: int
    converged: bool
    term_tables: dict[str, TermTable]
    # Per field, shares of candidate pairs with a missing value, then of each level: what drift is told from.
    candidate_shares: dict[str, tuple[float, ...]] = {}
    # How it was learnt and what was checked, see `learning.Learnt`; models of older versions do not say.
    learning: dict[str, Any] = {}
    # By field the one that implies it, see `implied_fields`.
    implied: dict[str, str] = {}

    def share_of(self, class_: str) -> float:
        """Share of a class among all pairs; models of older versions lack some."""
        return self.shares.get(class_, 0.0)

    def bits_of(self, field: FieldModel, class_: str) -> tuple[float, ...]:
        """Evidence of a field's levels for a class; what an older version did not know is like chance."""
        return field.bits.get(class_, field.bits["chance"])

    @property
    def log_shares(self) -> NDArray[np.float64]:
        """(C,) log2 share of each class among all pairs."""
        shares = np.array([self.share_of(name) for name in CLASSES])
        with np.errstate(divide="ignore"):
            return np.asarray(np.log2(shares))

    @property
    def in_order(self) -> bool:
        """Whether two homes speak for one person at most as one does, see `match_weights.posterior`; not before."""
        return bool(self.learning)

    @property
    def prior_bits(self) -> float:
        """Log-odds that a random pair is one person."""
        shares = [self.share_of(name) for name in CLASSES]
        return float(np.log2(sum(shares[:N_ONE_PERSON]) / sum(shares[N_ONE_PERSON:])))

    def to_json(self) -> str:
        """The file's content."""
        return self.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> Model:
        """Read a model file's content."""
        return cls.model_validate_json(text)


class WeightArrays(NamedTuple):
    """The model as the kernels read it. C classes, F fields, L levels, R term-frequency fields, V codes."""

    bits: NDArray[np.float64]  # (F, L, C) evidence against chance, log2
    shares: NDArray[np.float64]  # (C,) log2 share of each class among all pairs
    tf_row: NDArray[np.int32]  # (F,) row of `tf`, -1 for fields without
    tf_counts: NDArray[np.float64]  # (C, F) 1 where agreement on a rare value is the more seldom in a class, else 0
    tf: NDArray[np.float32]  # (R, V) bits to add when both sides have exactly this value
    implied: NDArray[np.int32]  # (F,) row of the field that implies it, else -1; see `implied_fields`
    in_order: bool  # see `match_weights.posterior`


def term_tables(
    frequencies: Mapping[str, NDArray[np.uint32]], vocabulary: Vocabulary, layout: Layout
) -> dict[str, TermTable]:
    """Tables of frequent values from `frequencies` (see vocabulary); names and cities only, never identifiers."""
    tables, bare = {}, vocabulary.bare_strings
    for field in layout.spec.fields:
        if not field.term_frequency or field.kind not in TF_KINDS:
            continue
        counts = vocabulary.of_bare(frequencies[field.name].astype(np.int64))
        counts[0] = 0
        frequent = np.flatnonzero(counts >= TF_COUNT_MIN)
        # Stable by count, so equal counts fall back on the order of the strings.
        frequent = frequent[np.argsort(-counts[frequent], kind="stable")][:TF_VALUES_MAX]
        values = bare.gather(frequent).to_list()
        table = dict(zip(values, counts[frequent].tolist(), strict=True))
        # What is not listed was seen once, or less often than all that is.
        rest = 1 if len(frequent) < TF_VALUES_MAX else int(counts[frequent[-1]])
        tables[field.name] = TermTable(n_present=int(counts.sum()), counts=table, rest=rest)
    return tables


def well_known(tables: Mapping[str, TermTable], layout: Layout) -> frozenset[str]:
    """The names that so many records have that each is a name, whatever other name it resembles."""
    names = [field.name for field in layout.spec.fields if field.kind in ("given_name", "surname")]
    found: set[str] = set()
    for table in (tables[name] for name in names if name in tables):
        least = max(WELL_KNOWN_COUNT, WELL_KNOWN_SHARE * table.n_present)
        found.update(name for name, count in table.counts.items() if count >= least)
    return frozenset(found)


def build_model(
    parameters: Parameters,
    frequencies: Mapping[str, NDArray[np.uint32]],
    vocabulary: Vocabulary,
    layout: Layout,
    *,
    n_rows: int,
    data_fingerprint: str = "",
) -> Model:
    """Put what `train` learnt, and the term frequencies, into a model."""
    terms = _bounded(term_tables(frequencies, vocabulary, layout), evidence(parameters, layout), layout)
    bits = evidence(parameters, layout, _commonest(terms, parameters, layout))
    fields = []
    for row, field in enumerate(layout.spec.fields):
        n_levels = layout.n_levels[row]
        shares = {name: tuple(parameters.tables[at, row, :n_levels].tolist()) for at, name in enumerate(TABLES)}
        by_class = {name: tuple(bits[at, row, :n_levels].tolist()) for at, name in enumerate(CLASSES)}
        labels = ("differ", *(level.label for level in reversed(field.levels)))
        fields.append(FieldModel(name=field.name, levels=labels, shares=shares, bits=by_class))
    return Model(
        spec_fingerprint=layout.spec.fingerprint,
        data_fingerprint=data_fingerprint,
        fields=tuple(fields),
        shares=dict(zip(CLASSES, parameters.shares.tolist(), strict=True)),
        n_rows=n_rows,
        total_pairs=parameters.total_pairs,
        iterations=parameters.iterations,
        converged=parameters.converged,
        term_tables=terms,
        implied=dict(parameters.implied),
    )


def evidence_table(model: Model, layout: Layout) -> NDArray[np.float64]:
    """(F, L, C) evidence against chance, log2."""
    bits = np.zeros((layout.n_fields, max(layout.n_levels), len(CLASSES)), dtype=np.float64)
    for row, field in enumerate(model.fields):
        for at, name in enumerate(CLASSES):
            bits[row, : len(field.levels), at] = model.bits_of(field, name)
    return bits


def weights(model: Model, vocabulary: Vocabulary, layout: Layout) -> WeightArrays:
    """Tables for the scoring kernel, from the model alone: the same model gives the same weights on any data.

    Raises:
        MatchError: the model was trained under other rules.
    """
    if model.spec_fingerprint != layout.spec.fingerprint:
        raise MatchError("the model was trained with another spec or another mapping; train again, or use that spec")
    tabled = [field.name for field in layout.spec.fields if field.name in model.term_tables]
    tf = np.zeros((len(tabled), len(vocabulary)), dtype=np.float32)
    for row, name in enumerate(tabled):
        chance = model.fields[layout.names.index(name)].shares["chance"][-1]
        tf[row] = _rarity(model.term_tables[name], chance, vocabulary)
    return WeightArrays(
        bits=evidence_table(model, layout),
        shares=model.log_shares,
        tf_row=np.array([tabled.index(n) if n in tabled else -1 for n in layout.names], dtype=np.int32),
        tf_counts=rarity_counts(layout),
        tf=tf,
        implied=rows_of(model.implied, layout),
        in_order=model.in_order,
    )


def rarity_bits(count: int | NDArray[np.float64], table: TermTable, chance: float) -> NDArray[np.float64]:
    """Bits by which agreement on a value outweighs agreement as such: log2(chance / frequency), clipped both ways."""
    frequency = np.maximum(count, table.rest) / max(table.n_present, 1)
    return np.asarray(np.clip(np.log2(chance / frequency), table.lowest, TF_BITS_MAX))


def _bounded(terms: Mapping[str, TermTable], bits: NDArray[np.float64], layout: Layout) -> dict[str, TermTable]:
    """The same tables, by which agreement on the commonest value weighs little less than a near agreement."""
    found = {}
    for name, table in terms.items():
        row = layout.names.index(name)
        weaker, exact = bits[SAME, row, layout.n_levels[row] - 2 : layout.n_levels[row]]
        lowest = float(weaker - exact) - TF_BITS_BELOW
        found[name] = table.model_copy(update={"lowest": max(lowest, TF_BITS_MIN)})
    return found


def _commonest(terms: Mapping[str, TermTable], parameters: Parameters, layout: Layout) -> dict[str, float]:
    """The rarity bits of the most frequent value of each tabled field: the least there are."""
    found = {}
    for name, table in terms.items():
        row = layout.names.index(name)
        chance = float(parameters.tables[T_CHANCE, row, layout.n_levels[row] - 1])
        found[name] = float(rarity_bits(max(table.counts.values(), default=0), table, chance))
    return found


def term_bits(model: Model, layout: Layout, strings: Sequence[str]) -> NDArray[np.float32]:
    """`WeightArrays.tf` of `weights` for the few strings of a small vocabulary, of which the first is "missing"."""
    tabled = [field.name for field in layout.spec.fields if field.name in model.term_tables]
    tf = np.zeros((len(tabled), len(strings)), dtype=np.float32)
    for row, name in enumerate(tabled):
        table, chance = model.term_tables[name], model.fields[layout.names.index(name)].shares["chance"][-1]
        counts = np.array([table.counts.get(bare_of(text), 0) for text in strings], dtype=np.float64)
        tf[row] = rarity_bits(counts, table, chance)
    tf[:, 0] = 0.0
    return tf


def _rarity(table: TermTable, chance: float, vocabulary: Vocabulary) -> NDArray[np.float32]:
    columns = {"string": list(table.counts), "count": list(table.counts.values())}
    listed = pl.DataFrame(columns, schema={"string": pl.String, "count": pl.Int64})
    known = vocabulary.bare_strings.to_frame("string").join(listed, on="string", how="left", maintain_order="left")
    counts = known["count"].fill_null(0).to_numpy().astype(np.float64)
    bits = rarity_bits(counts, table, chance).astype(np.float32)
    bits[0] = 0.0
    return bits
