"""Which customers a receipt may come from: by account, by name, by the numbers it names, by its amount."""

from __future__ import annotations

from typing import Final

import polars as pl
from rapidfuzz import fuzz, process

from core.workloads.invoices.rules.block import ACCOUNT, ACCOUNT_LEARNT, AMOUNT, NAME, NAME_LIKE, NUMBER

CONFIRMATIONS_MIN: Final = 2
"""Clean payments that make an account or a name known for a customer."""
GROUPS_MOST: Final = 5
SIMILAR_MIN: Final = 0.8
"""Least similarity of names that counts."""
_CLOSE = 0.05
_WORD_CUSTOMERS_MOST = 200
_CUT_LETTERS_MIN = 16
"""Letters from which on a name may be another one, cut off by a bank."""
_LEGAL = (
    "gmbh|mbh|ag|kg|kgaa|ohg|gbr|ug|ek|se|ltd|limited|llc|llp|lp|inc|incorporated|corp|corporation|co|company|plc|sa|sas|"
    "sarl|sasu|bv|nv|spa|srl|sl|oy|oyj|ab|as|asa|aps|pty|sp|zoo|sro|kft|und|and|the|et|y|e|cie"
)


def name_keys(names: pl.Series) -> pl.Series:
    """Words of names in capitals without accents, punctuation and legal forms; null where nothing is left."""
    plain = names.str.normalize("NFKD").str.replace_all(r"\p{M}+", "").str.to_lowercase()
    dotted = plain.str.replace_all(r"\b(\w)\.(?:(\w)\.)?(?:(\w)\.)?", "$1$2$3 ")
    words = dotted.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.replace_all(rf"\b(?:{_LEGAL})\b", " ")
    key = words.str.replace_all(r" +", " ").str.strip_chars().str.to_uppercase()
    return pl.select(pl.when(key != "").then(key)).to_series().alias(names.name)


def account_keys(accounts: pl.Series) -> pl.Series:
    """Letters and digits of account numbers in capitals; null where there are fewer than four."""
    key = accounts.str.to_uppercase().str.replace_all(r"[^0-9A-Z]+", "").str.strip_chars_start("0")
    return pl.select(pl.when(key.str.len_bytes() >= 4).then(key)).to_series().alias(accounts.name)


def find_payers(
    receipts: pl.DataFrame, customers: pl.DataFrame, accounts: pl.DataFrame, named: pl.DataFrame
) -> pl.DataFrame:
    """The groups of customers that each receipt may come from, the best five.

    Args:
        receipts: receipt, account, name (keys). customers: group, name (keys). accounts: group, account (keys).
        named: receipt, group, bits, clean: groups whose items a receipt names, and whether all of it is settled so.
    Returns:
        receipt, group, way, rivals (how many are pointed at in the same way), sorted by receipt, way, group.
    """
    learnt = receipts.join(named.filter("clean"), on="receipt")
    ways = [
        _by(receipts, accounts, "account", ACCOUNT),
        _by(receipts, _confirmed(learnt, "account"), "account", ACCOUNT_LEARNT),
        _by(receipts, pl.concat([customers, _confirmed(learnt, "name")]), "name", NAME),
        named.select("receipt", "group", pl.lit(NUMBER).cast(pl.Int64).alias("way"), score="bits"),
    ]
    known = ways[2].select("receipt").unique()
    unknown = receipts.join(known, on="receipt", how="anti").drop_nulls("name")
    ways.append(_similar(unknown, customers))
    found = pl.concat(ways).sort("receipt", "way", "score", "group", descending=[False, False, True, False])
    best = found.unique(["receipt", "group"], keep="first", maintain_order=True)
    n_groups = max(customers["group"].n_unique(), 1)
    rivals = pl.when(pl.col("way") == NUMBER).then(pl.lit(n_groups)).otherwise(pl.len().over("receipt", "way"))
    best = best.with_columns(rivals=rivals.cast(pl.Float64))
    return best.group_by("receipt", maintain_order=True).head(GROUPS_MOST).select("receipt", "group", "way", "rivals")


def find_amounts(receipts: pl.DataFrame, items: pl.DataFrame, n_groups: int) -> pl.DataFrame:
    """Groups that owe just the amount of a receipt, for receipts that point at nobody; none where more than five do.

    Args:
        receipts: receipt, code, amount. items: group, code, amount.
    Returns:
        as `find_payers`.
    """
    found = receipts.join(items.unique(), on=["code", "amount"]).with_columns(n=pl.len().over("receipt"))
    found = found.filter(pl.col("n") <= GROUPS_MOST).sort("receipt", "group")
    return found.select("receipt", "group", pl.lit(AMOUNT).cast(pl.Int64).alias("way"), rivals=pl.lit(float(n_groups)))


def _by(receipts: pl.DataFrame, known: pl.DataFrame, key: str, way: int) -> pl.DataFrame:
    pairs = receipts.select("receipt", key).drop_nulls().join(known.select("group", key).drop_nulls().unique(), on=key)
    return pairs.select("receipt", "group", pl.lit(way).cast(pl.Int64).alias("way"), score=pl.lit(1.0))


def _confirmed(learnt: pl.DataFrame, key: str) -> pl.DataFrame:
    """Keys that have paid cleanly for a group at least twice."""
    counted = learnt.select("group", key).drop_nulls().group_by("group", key).len()
    return counted.filter(pl.col("len") >= CONFIRMATIONS_MIN).select("group", key)


def _similar(receipts: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    """Pairs of unlike names that share a word, or begin alike, and are similar enough."""
    payers = receipts.select("name").unique().sort("name")
    owners = customers.drop_nulls("name").select("name").unique().sort("name")
    pairs = _word_pairs(payers, owners)
    if not len(pairs):
        return pl.DataFrame(schema={"receipt": pl.Int64, "group": pl.Int64, "way": pl.Int64, "score": pl.Float64})
    left, right = pairs["name"].to_list(), pairs["other"].to_list()
    sorted_words = process.cpdist(left, right, scorer=fuzz.token_sort_ratio, workers=1)
    cut = pl.col("other").str.starts_with(pl.col("name")) | pl.col("name").str.starts_with(pl.col("other"))
    long = pl.min_horizontal(pl.col("name").str.len_chars(), pl.col("other").str.len_chars()) >= _CUT_LETTERS_MIN
    scored = pairs.with_columns(score=pl.Series(sorted_words).cast(pl.Float64) / 100)
    scored = scored.with_columns(
        score=pl.when(cut & long).then(pl.max_horizontal("score", pl.lit(0.95))).otherwise("score")
    )
    kept = scored.filter(
        (pl.col("score") >= SIMILAR_MIN) & (pl.col("score") >= pl.col("score").max().over("name") - _CLOSE)
    )
    named = kept.join(customers.rename({"name": "other"}), on="other").join(
        receipts.select("receipt", "name"), on="name"
    )
    return named.select("receipt", "group", pl.lit(NAME_LIKE).cast(pl.Int64).alias("way"), "score")


def _word_pairs(payers: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Names that share a word that few customers have, or their first four letters."""

    def keyed(names: pl.DataFrame) -> pl.DataFrame:
        words = pl.col("name").str.split(" ").list.concat(pl.concat_list("^" + pl.col("name").str.head(4)))
        return names.with_columns(word=words).explode("word").filter(pl.col("word").str.len_chars() >= 2).unique()

    rare = keyed(owners).rename({"name": "other"}).filter(pl.len().over("word") <= _WORD_CUSTOMERS_MOST)
    return keyed(payers).join(rare, on="word").select("name", "other").unique().sort("name", "other")
