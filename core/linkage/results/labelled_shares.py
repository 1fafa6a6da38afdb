"""How many of the pairs that people labelled an answer has right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from core.errors import InputError, SchemaError
from core.intake.whole_columns import columns_of, read_table
from core.linkage.history.labelled_pairs import DECIDED, IDS, read_pairs, require_columns

WORDS: Mapping[str, str] = {
    **DECIDED,
    **dict.fromkeys(("1", "true", "yes"), "match"),
    **dict.fromkeys(("0", "false", "no"), "differ"),
}
_SOURCES = ("source_a", "source_b")


@dataclass(frozen=True, slots=True)
class Share:
    """Pairs of one label, and how many of them the answer has so."""

    n_pairs: int
    n_right: int

    @property
    def share(self) -> float | None:
        """Right ones among all; None without any."""
        return self.n_right / self.n_pairs if self.n_pairs else None


@dataclass(frozen=True, slots=True)
class LabelledShares:
    """match: pairs of one entity that are joined; differ: pairs of two that are apart.

    n_open: rows without a label. n_unknown: labelled pairs of which the answer lacks a record; they count nowhere.
    """

    match: Share
    differ: Share
    n_open: int
    n_unknown: int


def label_column(path: Path, named: str | None) -> str:
    """The column that holds the labels: the one named, else `decision`, else the only one beside the ids.

    Raises:
        SchemaError: there is no such column, or there are several to choose from.
    """
    there = columns_of(path)
    if named is not None:
        return named
    if "decision" in there:
        return "decision"
    rest = [name for name in there if name not in (*IDS, *_SOURCES)]
    if len(rest) == 1:
        return rest[0]
    raise SchemaError(
        f"{path}: no column 'decision'; say with `decision` which one holds the labels: {', '.join(rest) or 'none'}",
        path=str(path),
        column="decision",
        fields=("decision",),
        expected="decision",
        got=there,
    )


def labelled_shares(out: Path, labels: Path, column: str) -> LabelledShares:
    """Compare the entities of an answer with labelled pairs.

    Where `out` has a column `source` and an id stands in two sources, source_a and source_b of the labels tell which
    record is meant; without them id_a is of the first source and id_b of the second.

    Raises:
        SchemaError: a column is missing. InputError: a label cannot be meant, two contradict each other, or no pair is
            of the answer.
    Cost: ids and entities of the answer are held in memory.
    """
    answer = read_table(out, {"id", "entity_id", "source"})
    require_columns(answer, out, ("id", "entity_id"))
    across = "source" in answer.columns and bool(answer["id"].is_duplicated().any())
    given = read_pairs(labels, column, WORDS, others=_SOURCES, equal_ids=across)
    pairs, key = given.pairs, ["id"]
    if across:
        key = ["source", "id"]
        pairs = pairs.with_columns(pl.col("source_a").fill_null("0"), pl.col("source_b").fill_null("1"))
    pairs = _once(pairs, labels)
    entities = answer.unique(key, keep="first")
    for side in ("a", "b"):
        named = {name: f"{name}_{side}" for name in (*key, "entity_id")}
        ours = entities.select(pl.col(name).alias(alias) for name, alias in named.items())
        pairs = pairs.join(ours, on=[named[name] for name in key], how="left", maintain_order="left")
    known = pairs.drop_nulls(["entity_id_a", "entity_id_b"])
    if pairs.height and known.height == 0:
        raise InputError(
            f"{out} and {labels} share no pair, so nothing can be compared; are id_a and id_b ids of the input?",
            path=str(labels),
        )
    joined = known.with_columns(joined=pl.col("entity_id_a") == pl.col("entity_id_b"))
    shares = {
        label: Share(mine.height, int((mine["joined"] == (label == "match")).sum()))
        for label, mine in ((label, joined.filter(pl.col("decision") == label)) for label in ("match", "differ"))
    }
    return LabelledShares(shares["match"], shares["differ"], given.n_open, pairs.height - known.height)


def _once(pairs: pl.DataFrame, labels: Path) -> pl.DataFrame:
    """Each pair once, whichever of its records comes first. Raises InputError: it has both labels."""
    sides = [pl.concat_str(f"id_{side}", pl.col(f"source_{side}").fill_null(""), separator="\x1f") for side in "ab"]
    ordered = pairs.with_columns(low=pl.min_horizontal(sides), high=pl.max_horizontal(sides))
    torn = ordered.filter(pl.col("decision").n_unique().over("low", "high") > 1)
    if torn.height:
        raise InputError(
            f"{labels}, row {torn['row'][0]}: the pair has another label in a further row; keep one of them "
            f"({torn.height:,} rows contradict each other)",
            path=str(labels),
            row=torn["row"][0],
        )
    return ordered.unique(["low", "high"], keep="first", maintain_order=True)
