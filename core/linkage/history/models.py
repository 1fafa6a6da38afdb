"""Models as files: kept, found again, checked against the records they are to be used on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from core.errors import ConfigError, MatchError
from core.jobs.ports import Output
from core.linkage.run_record import stored_model
from core.matching.compare.patterns import compare_pairs
from core.matching.quality.drift import NOTICE_PSI, REFUSAL_PSI, Drift, drift_of, level_shares, neighbours
from core.matching.records.layout import Layout
from core.matching.scoring.calibration.level_scores import scores_by
from core.matching.scoring.learn import ACCEPTED_MIN
from core.matching.scoring.learning.plausibility import findings
from core.matching.scoring.model import Model
from core.matching.specs.spec import MatchSpec
from core.storage.private_file import write_private
from core.storage.workspace import Array

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob

MODEL = "model.json"


def read_model(path: Path) -> Model:
    """Read a model file, or the model in the record of a run (OUT.run.json).

    Raises:
        ConfigError: there is none, or it is not a model of this version.
    """
    try:
        return stored_model(path)
    except OSError as error:
        raise ConfigError(f"model {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{path} is no model of this version; `headrace model train` writes one") from None


def write_model(model: Model, path: Path) -> None:
    """Write a model whole or not at all, readable by its owner only: it names frequent values of names."""
    write_private(path, lambda part: part.write_text(model.to_json(), encoding="utf-8"))


def check_model(model: Model, spec: MatchSpec, path: str) -> None:
    """Refuse a model of other rules before any work.

    Raises:
        MatchError: says what differs where it can be told.
    """
    if model.spec_fingerprint == spec.fingerprint:
        return
    trained, asked = [field.name for field in model.fields], [field.name for field in spec.fields]
    what = "levels, passes or thresholds differ"
    if trained != asked:
        what = f"it knows the fields {', '.join(trained)}, the records have {', '.join(asked)}"
    raise MatchError(
        f"model {path} was trained for another spec or another mapping: {what}; use that spec, or train again with "
        "`headrace model train`",
        model=path,
    )


def neighbour_levels(job: LinkageJob) -> Array:
    """(n, F) levels of neighbours in the blocks of the passes that every job makes, which stand for candidate pairs.

    With the wide ones a model of few records would seem to have drifted on many.
    """
    blocks = [job.blocks(number) for number in range(job.spec.n_always)]
    pairs = [neighbours(each.rows, each.depth[1:] > 0, job.boundaries) for each in blocks]
    left, right = (np.concatenate(each) for each in zip(*pairs, strict=True))
    return compare_pairs(job.words, job.vocabulary, job.layout, left, right)


def candidate_shares(model: Model, levels: Array, layout: Layout) -> tuple[dict[str, tuple[float, ...]], int]:
    """Level shares of the neighbours that are two people by the model, and how many pairs they are of.

    Models that do not say how they were learnt have shares of all neighbours.
    """
    if not model.learning:
        return level_shares(levels, layout), len(levels)
    weights = 1.0 / (1.0 + np.exp2(np.clip(scores_by(model, levels, layout), -60.0, 60.0)))
    return level_shares(levels, layout, weights), int(weights.sum())


def kept_model(job: LinkageJob) -> Model:
    """The model that the request named, or that of the run it adds to, as it was kept with the job."""
    return Model.from_json(job.workspace.file(MODEL).read_text(encoding="utf-8"))


def reuse_model(job: LinkageJob, folder: Path) -> Output:
    """Take the model the request named instead of learning one, unless it does not fit the records.

    Raises:
        MatchError: a field has drifted beyond the limit, or pairs would be accepted that cannot be one person.
    """
    model = kept_model(job)
    levels = neighbour_levels(job)
    drift = drift_of(model.candidate_shares, *candidate_shares(model, levels, job.layout))
    # Who only takes records out has none that the model could not fit.
    if not job.description.request.allow_drift and job.since < job.rows:
        _refuse_drift(drift)
        _refuse_implausible(model, levels, job.layout)
    if job.description.erases:
        model = _of_values_there(model, job.vocabulary.strings)
        write_model(model, job.workspace.root / MODEL)
        job.workspace.keep(job.workspace.root / MODEL)
    write_model(model, folder / MODEL)
    return {
        "reused": True,
        "prior_bits": model.prior_bits,
        "iterations": model.iterations,
        "converged": model.converged,
        "drift": None if drift is None else drift.to_dict(),
    }


def _refuse_drift(drift: Drift | None) -> None:
    if drift is None or drift.worst_psi <= REFUSAL_PSI:
        return
    raise MatchError(
        f"the records are not like those the model was trained on: field {drift.worst} drifted most (population "
        f"stability index {drift.worst_psi:.2f}, limit {REFUSAL_PSI:g}); look at that column, train again with "
        "`headrace model train`, or go on with `allow_drift`",
        fields=("allow_drift",),
        field=drift.worst,
        psi=drift.worst_psi,
        limit=REFUSAL_PSI,
    )


def _refuse_implausible(model: Model, levels: Array, layout: Layout) -> None:
    accepted = scores_by(model, levels, layout) >= layout.spec.match_bits
    found = findings(levels, accepted.astype(np.float64), layout)
    faults = found.faults(layout) if found.pairs >= ACCEPTED_MIN else []
    if faults:
        raise MatchError(
            f"by this model pairs of these records would be joined that cannot be one person: {'; '.join(faults)}; "
            "match without `--model`, train one on records like these with `headrace model train`, or go on with "
            "`allow_drift`",
            fields=("allow_drift", "model"),
        )


def _of_values_there(model: Model, strings: pl.Series) -> Model:
    """The model without frequent values that no record has any more: what was removed is named nowhere."""
    tables = {}
    for name, table in model.term_tables.items():
        there = pl.Series(list(table.counts), dtype=pl.String)
        left = there.filter(there.is_in(strings.implode()))
        tables[name] = table.model_copy(update={"counts": {value: table.counts[value] for value in left}})
    return model.model_copy(update={"term_tables": tables})


def statement(job: LinkageJob) -> tuple[dict[str, Any] | None, list[str]]:
    """What the figures say of a reused model, and the notices about the model; of one learnt here, how it was."""
    trained = job.outputs("train")[0]
    if not trained.get("reused"):
        return None, trained.get("notices", [])
    drift = trained["drift"]
    request = job.description.request
    said = {"file": request.model or request.against, "trained_rows": job.model.n_rows, "drift": drift}
    if drift is None and not request.adds:
        # Nothing came that the model could not fit.
        return said, []
    if drift is None:
        return said, ["drift of the records from the model cannot be told: too few pairs, or a model without shares"]
    if drift["worst_psi"] <= NOTICE_PSI:
        return said, []
    return said, [
        f"the records differ from those of the model: field {drift['worst_field']} drifted most (population stability "
        f"index {drift['worst_psi']:.2f}, refused above {REFUSAL_PSI:g})"
    ]


def learning_notices(model: Model, spec: str) -> Iterator[str]:
    """What should be known of how a model was learnt: why not from the data alone; `spec` is the name of the spec."""
    way, misled = model.learning.get("way", "free"), model.learning.get("misled")
    if way == "usual":
        yield (
            "one text is all that is compared: how much two of them must have in common is told by what is usual, and "
            "by what strangers here have; look at some pairs, and name further columns if there are any"
        )
    faults = next((refused[0] for refused in model.learning.get("refused", []) if refused), None)
    if way == "free" or faults is None:
        return
    if misled is None:
        yield f"{faults}: what is generally known of records of {spec} counts beside the data"
        return
    counted = f"was learnt again within bounds of what {spec} look like"
    if way == "expected":
        counted = f"is what is generally expected of {spec}"
    yield (
        f"{misled} misled: pairs that agree in it were at first taken for one of the {spec}, though {faults}; the "
        f"model {counted}"
    )
