"""What a job is about, as `job.json` holds it: enough for any process to work on it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from core.intake.columns import FieldHint
from core.intake.known_names import BESIDE, known_names
from core.linkage.request import MatchRequest
from core.matching.specs.spec import MatchSpec, built_in_specs


class Frozen(BaseModel):
    """What a run decided by all of its records, for later ones to decide alike: widest block, packed placeholders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window: int
    placeholders: dict[str, list[int]]


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
    # How many runs with lasting ids came before.
    version: int = 0
    # What the published version is kept by; None: spec and input files.
    dataset: str | None = None

    @property
    def dataset_name(self) -> str:
        """Under which name the answer is published: jobs of one name follow each other."""
        named = self.dataset or self.request.dataset
        return named or f"{self.spec.name}:{'+'.join(path.name for path in self.request.inputs)}"


DESCRIPTION = "job.json"


def hints_of(spec: MatchSpec) -> list[FieldHint]:
    """What the columns of the file are looked for by; the parts of one column share their aliases.

    Columns of the built-in specs are found by their names in eight languages, too.
    """
    hints = []
    for column in spec.columns:
        fields = [field for field in spec.fields if field.column == column]
        built_in = spec.name in built_in_specs()
        known = known_names(column) if built_in else ()
        aliases = tuple(dict.fromkeys((*(alias for field in fields for alias in field.aliases), *known)))
        kept = any(field.slips == "keep" for field in fields)
        beside = BESIDE.get(column, ("", ())) if built_in else ("", ())
        hints.append(FieldHint(column, fields[0].kind, aliases, kept, beside))
    return hints
