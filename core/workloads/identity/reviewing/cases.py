"""What a published run asks people: its reviewable pairs, the answer that is worth most first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.database import DatabaseManager
from core.database.queries import load, run
from core.linkage.history.kept_apart import KEPT_APART
from core.linkage.history.labelled_pairs import OPEN
from core.linkage.history.values_seen import SEEN, records_with, versions
from core.matching.scoring.model import Model
from core.review.items import BETWEEN, ask_again, decided, fill, topic_of
from core.review.links import consistent
from core.review.verdicts import Policy
from core.workloads.identity.reviewing.shown_records import keep_records

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob

Q = load("identity")
CASES_MAX = 100_000
"""Nobody gets further down a list; the rest of the pairs is in the job's files."""
SAME, DIFFERENT = "match", "differ"
REASONS = ("one household", "relatives", "one name only", "identifier mistyped", "moved", "wrong value")
POLICY = Policy((SAME, DIFFERENT), REASONS, check=consistent(SAME, DIFFERENT))
_IDS = ("id_a", "id_b")
_FIELDS = pl.List(pl.Struct({"field": pl.String, "level": pl.String, "bits_milli": pl.Int64}))


def topic(dataset: str) -> str:
    """Name of the list of a data set."""
    return topic_of("identity", dataset)


def ask(db: DatabaseManager, job: LinkageJob, job_id: int) -> int:
    """Make the reviewable pairs of a published job the cases of its data set; returns how many. Again changes nothing.

    Verdicts hold on; those that were about other values than the records have now are asked again. Nothing is done for
    linked files, whose matches take no decisions, and for a job that is not the one published.

    Cost: the input is read once, if there is anything to ask.
    """
    # A job that was done before may have lost its files; what it asked, it asked then.
    if job.linked or not all((folder / "matches.parquet").exists() for folder in job.folders("survive")):
        return 0
    name = topic(job.description.dataset_name)
    with db.transaction() as conn:
        said = dict(decided(conn, name))
    found = cases_of(job)
    known = pl.DataFrame(
        [subject for subject in said if len(subject) == 2], schema=dict.fromkeys(_IDS, pl.String), orient="row"
    )
    ids = pl.concat([found[side] for side in _IDS] + [known[side].cast(pl.String) for side in _IDS])
    records = records_with(job.sources, ids, job.spec.columns).unique("id", keep="last") if len(ids) else None
    if records is not None:
        found = found.with_columns(_seen(found, records, job))
        there = [known.join(records.select(side := "id"), left_on=each, right_on=side, how="semi") for each in _IDS]
        known = there[0].join(there[1], on=_IDS, how="semi")
        known = known.with_columns(_seen(known, records, job))
    else:
        found, known = (each.with_columns(pl.lit(None, pl.String).alias(SEEN)) for each in (found, known))
    subject = pl.concat_str(_IDS, separator=BETWEEN).alias("subject")
    with db.transaction() as conn:
        run(conn, Q["dataset_lock"], {"dataset": job.description.dataset_name})
        rows = run(conn, Q["published_job"], {"dataset": job.description.dataset_name})
        if not rows or rows[0][0] != job_id:
            return 0
        fill(conn, name, job_id, found.select(subject, SEEN, "facts", "probability", "value"))
        keep_records(conn, job.description.dataset_name, records)
        ask_again(conn, name, job_id, {(a, b): seen for a, b, seen in known.select(*_IDS, SEEN).iter_rows()})
    return found.height


def cases_of(job: LinkageJob) -> pl.DataFrame:
    """id_a, id_b (the smaller text first), `facts`, `probability` and `value` of at most CASES_MAX reviewable pairs.

    The facts name each field's level and its bits against chance; what makes them add up to the whole are the prior,
    the rarity of values, and other readings of the two. The value of an answer is the chance that it is the unlikely
    one, times the records of the entities that it moves, times 1 + log2 of the pairs that look alike.
    """
    pairs = _survived(job, "matches").filter(pl.col("decision") == OPEN).collect()
    sizes = _sizes(job, pl.concat([pairs[side] for side in _IDS]))
    for side in ("a", "b"):
        pairs = pairs.join(sizes.rename({"id": f"id_{side}", "n": f"n_{side}"}), on=f"id_{side}", how="left")
    pairs = pairs.with_columns(
        n_records=pl.when("joined").then("n_a").otherwise(pl.col("n_a") + pl.col("n_b")).cast(pl.Int64),
        n_alike=pl.len().over("pattern").cast(pl.Int64),
        probability=pl.col("confidence").cast(pl.Float64),
    )
    unlikely = pl.min_horizontal("probability", 1 - pl.col("probability"))
    value = unlikely * pl.col("n_records") * (1 + pl.col("n_alike").log(2))
    facts = pl.struct(
        "fields",
        "joined",
        *KEPT_APART,
        "n_records",
        "n_alike",
        bits_milli=(pl.col("score").cast(pl.Float64) * 1000).round().cast(pl.Int64),
        probability_ppm=(pl.col("probability") * 1e6).round().cast(pl.Int64),
    )
    turned = pl.col("id_a") > pl.col("id_b")
    patterns = pairs["pattern"].unique()
    fields = pl.Series("fields", [field_bits(text, job.model) for text in patterns], dtype=_FIELDS)
    pairs = pairs.join(pl.DataFrame([patterns, fields]), on="pattern", how="left")
    return (
        pairs.with_columns(value=value)
        .top_k(CASES_MAX, by=["value"])
        .select(
            id_a=pl.when(turned).then("id_b").otherwise("id_a"),
            id_b=pl.when(turned).then("id_a").otherwise("id_b"),
            facts=facts.struct.json_encode(),
            probability="probability",
            value="value",
        )
    )


def field_bits(pattern: str, model: Model) -> list[dict[str, str | int]]:
    """`field`, `level` and `bits_milli` (for one person, against chance) of a pattern `first_name=exact,dob=differ`.

    A missing value says nothing, nor does a field that another one implies which agrees exactly.
    """
    levels = dict(part.split("=", 1) for part in pattern.split(","))
    exact = {field.name: field.levels[-1] for field in model.fields}
    found: list[dict[str, str | int]] = []
    for field in model.fields:
        level, by = levels[field.name], model.implied.get(field.name)
        silent = level == "missing" or (by is not None and levels[by] == exact[by])
        bits = 0.0 if silent else model.bits_of(field, "same")[field.levels.index(level)]
        found.append({"field": field.name, "level": level, "bits_milli": round(bits * 1_000)})
    return found


def _survived(job: LinkageJob, name: str) -> pl.LazyFrame:
    return pl.scan_parquet([folder / f"{name}.parquet" for folder in job.folders("survive")])


def _sizes(job: LinkageJob, ids: pl.Series) -> pl.DataFrame:
    """`id` and `n`, the records of the entity of each."""
    members = _survived(job, "members").select("id", "entity_id")
    mine = members.filter(pl.col("id").is_in(ids.unique().implode()))
    counted = members.group_by("entity_id").agg(n=pl.len())
    return mine.join(counted, on="entity_id").select("id", "n").collect()


def _seen(pairs: pl.DataFrame, records: pl.DataFrame, job: LinkageJob) -> pl.Series:
    sides = [pairs.select(id=side).join(records, on="id", how="left", maintain_order="left") for side in _IDS]
    return versions(sides[0], sides[1], job.spec.columns)
