"""What a job is about, as `job.json` holds it: enough for any process to work on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from core.intake.columns import FieldHint
from core.intake.known_names import ALONE, BESIDE, known_names
from core.intake.source import Source
from core.intake.tables.part_files import name_of
from core.linkage.request import MatchRequest
from core.matching.records.layout import with_room
from core.matching.specs.levels import SEVERAL_KINDS, VALUES_MAX
from core.matching.specs.spec import MatchSpec, built_in_specs
from core.matching.standardise.full_names import PERSON_PARTS, WHOLE


class Frozen(BaseModel):
    """What a run decided by all of its records, for later ones to decide alike: widest block, packed placeholders.

    left_out: names of the wide passes that it had no room for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: int
    placeholders: dict[str, list[int]]
    left_out: tuple[str, ...] = ()


class JobDescription(BaseModel):
    """What `job.json` holds: enough for any process to work on the job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    request: MatchRequest
    spec: MatchSpec
    sources: tuple[dict[str, Any], ...]
    notices: tuple[str, ...]
    rows: int
    # An increment: rows before `since` were matched with each other by the run it adds to, under what is `frozen`.
    since: int = 0
    frozen: Frozen | None = None
    # Whether records of the run that it adds to are removed or changed: no file of ours keeps their former values.
    erases: bool = False
    # How many runs with lasting ids came before.
    version: int = 0
    # What the published version is kept by; None: spec and input files.
    dataset: str | None = None

    @property
    def dataset_name(self) -> str:
        """Under which name the answer is published: jobs of one name follow each other."""
        return self.dataset or dataset_name_of(self.request, self.spec.name)


def dataset_name_of(request: MatchRequest, spec_name: str) -> str:
    """What the answer of a request that adds to no other is published under: as it says, or by spec and input files."""
    tables = (",".join(map(name_of, request.named(number))) for number in range(len(request.inputs)))
    return request.dataset or f"{spec_name}:{'+'.join(tables)}"


DESCRIPTION = "job.json"


def hints_of(spec: MatchSpec) -> list[FieldHint]:
    """What the columns of the file are looked for by; the parts of one column share their aliases.

    Columns of the built-in specs are found by their names in eight languages, too; whole names serve where the spec
    has fields for their parts only.
    """
    hints = []
    for column in dict.fromkeys(field.column for field in spec.fields):
        fields = [field for field in spec.fields if field.column == column]
        built_in = spec.name in built_in_specs()
        known = known_names(column) if built_in else ()
        aliases = tuple(dict.fromkeys((*(alias for field in fields for alias in field.aliases), *known)))
        kept = any(field.slips == "keep" for field in fields)
        beside = BESIDE.get(column, ("", ())) if built_in else ("", ())
        counts = any(level.test == "date_digits" for field in fields for level in field.levels)
        last = fields[0].keep_last
        hint = FieldHint(
            column,
            fields[0].kind,
            aliases,
            kept,
            beside,
            digits_count=counts,
            keep_last=last,
            gathers=fields[0].gathers,
        )
        hints.append(hint)
    if spec.name in built_in_specs() and set(PERSON_PARTS) <= set(spec.columns):
        hints.append(FieldHint(WHOLE, "name", known_names(WHOLE), parts=tuple(PERSON_PARTS), alone=ALONE))
    return hints


def roomy_spec(spec: MatchSpec, sources: Sequence[Source]) -> tuple[MatchSpec, list[str]]:
    """The spec with room for all values that a record has of a field, as far as a record may grow; and notices."""
    found = {field.name: _counts(sources, field.name) for field in spec.fields if field.kind in SEVERAL_KINDS}
    roomy = with_room(spec, {name: int(np.flatnonzero(counts).max(initial=1)) for name, counts in found.items()})
    notices = []
    for field in roomy.fields:
        counts = found.get(field.name, np.zeros(0, dtype=np.int64))
        n_several, n_cut = int(counts.sum()), int(counts[field.values + 1 :].sum())
        if n_several:
            notices.append(f"{field.name}: records with several values: {n_several:,}; the best agreement counts")
        if n_cut:
            notices.append(
                f"{field.name}: records with more than {field.values} values: {n_cut:,}; the rest is left out"
            )
    return roomy, notices


def _counts(sources: Sequence[Source], name: str) -> NDArray[np.int64]:
    """How many cells of a field hold so many values, see `count_values`."""
    counts = np.zeros(VALUES_MAX + 2, dtype=np.int64)
    for source in sources:
        counts += np.array(source.values.get(name, counts * 0), dtype=np.int64)
    return counts
