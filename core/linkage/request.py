"""What a user asks for: one model, shared by the command line, the flow's form in the UI and the stored job."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from core.errors import ConfigError
from core.intake.reading import Reading
from core.matching.specs.spec import MatchSpec

Publish = Literal["links", "records", "all"]
LEDGER = "ledger"
LINKS_MAX = 15
"""Files linked with the input: a set of sources is one number."""


def _as_tuple(value: Any) -> Any:
    """One file as jobs of older versions hold it: its path, or null; what is said of all files linked."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str | dict) else value


def is_ledger(decisions: str | None) -> bool:
    """Whether decisions are to be those of the ledger: `ledger`, or `ledger:DATASET` for another data set's."""
    return decisions is not None and decisions.partition(":")[0] == LEDGER


class MatchRequest(BaseModel):
    """Match the records of one file with each other, or of several files across every two of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: str = Field(
        description="file, folder of parts or pattern whose records are matched; demo:persons?rows=20000 makes them"
    )
    id_column: str = Field(description="column that names each record; unique within its file")
    spec: str = Field("persons", description="name of a built-in match spec, or path of a YAML file")
    mapping: dict[str, str] = Field(
        default_factory=dict,
        description="field of the spec -> column of the file; 'a+b' joins two columns, '' leaves the field out",
    )
    more: tuple[str, ...] = Field(
        (), description="further files, folders of parts or patterns, read behind input as one table with it"
    )
    link: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(
        (), max_length=LINKS_MAX, description="further files: only pairs of two different files are compared"
    )
    link_id: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(
        (),
        description="column that names each record of the files linked, in their order; one: of all; empty: as input",
    )
    link_mapping: Annotated[tuple[dict[str, str], ...], BeforeValidator(_as_tuple)] = Field(
        (), description="as mapping, of the files linked, in their order; one: of all; holds before mapping"
    )
    without_names: bool = Field(False, description="match although no column has a name that a built-in spec asks for")
    one_to_one: bool | None = Field(
        None,
        description="with link: an entity holds at most one record of each file; empty: so too, shared files aside; "
        "false: a record may have any number of partners, as in runs of old",
    )
    shared: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = Field(
        (), description="with link: files, by name or number (0 is input), whose records may have several partners"
    )
    reference: str | None = Field(
        None,
        description="with link: the file, by name or number (0 is input), of which each record of the others gets one "
        "record or none",
    )
    bad_rows: Literal["raise", "quarantine"] = Field("raise", description="stop at a bad row, or set it aside")
    encoding: str | None = Field(None, description="encoding of text files; empty: as found in each")
    delimiter: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description="character between the fields of text files; empty: as found in each",
    )
    sheet: str | None = Field(
        None, min_length=1, description="name or number of the sheet of a workbook; empty: the only one with cells"
    )
    skip_lines: int = Field(0, ge=0, le=1_000, description="lines above the header of text files")
    bad_values: Literal["missing", "refuse"] = Field(
        "missing", description="take a value that cannot be read as missing, or stop at the first"
    )
    year_pivot: int | None = Field(
        None,
        ge=1000,
        le=9900,
        description="first of the hundred years that two digits stand for; empty: so that no date is in the future",
    )
    quarantine: str | None = Field(None, description="file that receives rows set aside (CSV, private)")
    out: str | None = Field(
        None, description="Parquet, CSV or .xlsx file that receives id and entity_id of every record"
    )
    rerun: bool = Field(False, description="start anew although the same request was answered before (queue)")
    model: str | None = Field(None, description="trained model to use instead of learning one")
    against: str | None = Field(None, description="output of a finished match that the records of input are added to")
    decisions: str | None = Field(
        None,
        description="CSV, Parquet or .xlsx: id_a, id_b, decision (match, differ, undo, or nothing while open), by, at; "
        "ledger: what people decided in the review; ledger:NAME: of that data set",
    )
    changed: Literal["refuse", "replace"] = Field(
        "refuse", description="with against: records whose id is known already; replace: they take the old ones' place"
    )
    removed: str | None = Field(
        None,
        description="with against: file of ids whose records are taken out, and their values out of all files of ours; "
        "the same as input: nothing is added",
    )
    allow_drift: bool = Field(False, description="use the model although the records have drifted from its own")
    lookup: bool = Field(False, description="publish what `headrace lookup` needs to find one record (queue)")
    entities: str | None = Field(
        None, description="Parquet, CSV or .xlsx file that receives one golden record an entity"
    )
    with_columns: tuple[str, ...] = Field(
        (), description="columns of the input to be written beside id and entity_id; *: all of them"
    )
    csv_for_excel: bool = Field(
        False, description="a CSV that is written begins with a mark and has semicolons, as Excel opens it"
    )
    publish: Publish = Field(
        "all",
        description="what goes to the database (queue): links: entities, members and matches; records: identities too; "
        "all: golden records too",
    )
    dataset: str | None = Field(
        None, min_length=1, description="name that the answer is published under; empty: by spec and input files"
    )
    memory_gb: float | None = Field(
        None, gt=0, description="the most a process may hold, mapped files aside; empty: six tenths of what is free"
    )
    range_rows: int | None = Field(None, ge=1, le=1_000_000, description="records an ingest batch; empty: by the input")
    pairs_per_batch: int = Field(2_000_000, ge=1_000, description="candidate pairs a match batch")

    @property
    def inputs(self) -> list[Path]:
        """The files, first source first."""
        return [Path(self.input), *(Path(each) for each in self.link)]

    def said_of_link(self, number: int) -> tuple[str | None, dict[str, str]]:
        """What is said of the columns of the source of that number, from 1: the id's (None: nothing), and of fields."""
        at = number - 1
        id_column = self.link_id[at if len(self.link_id) > 1 else 0] if self.link_id else ""
        mapping = self.link_mapping[at if len(self.link_mapping) > 1 else 0] if self.link_mapping else {}
        return id_column or None, dict(mapping)

    def named(self, number: int) -> tuple[Path, ...]:
        """What is read as one table for the source of that number, in order: files, folders of parts, patterns."""
        return (self.inputs[number], *(map(Path, self.more) if number == 0 else ()))

    @property
    def exclusive(self) -> bool:
        """Whether a record of one file has at most one partner in another, shared files aside."""
        return bool(self.link) and self.reference is None and self.one_to_one is not False

    @property
    def shared_sources(self) -> tuple[int, ...]:
        """Numbers of the files whose records may have several partners. Raises as `source_number`."""
        return tuple(sorted({self.source_number(name, "shared") for name in self.shared}))

    @property
    def reference_source(self) -> int | None:
        """Number of the file that answers; None: there is none. Raises as `source_number`."""
        return None if self.reference is None else self.source_number(self.reference, "reference")

    def source_number(self, name: str, field: str) -> int:
        """The file that is meant: by its number, its path, its name, or that without an ending.

        Raises:
            ConfigError: there is none, or there are several; says which there are.
        """
        if name.isdecimal() and int(name) < len(self.inputs):
            return int(name)
        meant = ({name, str(Path(name).absolute())}, {name}, {name})
        called = (
            [str(path) for path in self.inputs],
            *([getattr(path, how) for path in self.inputs] for how in ("name", "stem")),
        )
        ways = (
            [number for number, each in enumerate(names) if each in wanted]
            for names, wanted in zip(called, meant, strict=True)
        )
        found: list[int] = next(filter(None, ways), [])
        if len(found) != 1:
            files = ", ".join(f"{number} {path.name}" for number, path in enumerate(self.inputs))
            many = "no file of this match" if not found else "several files of this match; give the number of one"
            raise ConfigError(f"`{field}` {name}: {many}; they are {files}", fields=(field,))
        return found[0]

    @property
    def adds(self) -> bool:
        """Whether records are added; a file of ids that is the input too says that some are removed, and no more."""
        return self.removed is None or self.input != self.removed or bool(self.more)

    @property
    def reading(self) -> Reading:
        """What is said about how the files are to be read."""
        return Reading(self.encoding, self.delimiter, self.skip_lines, self.sheet)


def job_key(
    request: MatchRequest,
    digests: list[str],
    spec: MatchSpec,
    model_digest: str | None = None,
    others: Sequence[str] = (),
) -> str:
    """Name a job by what determines its answer: input bytes, spec, columns, model and this version of the code.

    `others` are the digests of further files that decide the answer. Paths and batch sizes are left out: they change
    nothing in the answer, so a moved file resumes its job.
    """
    named = request.model_copy(update={"one_to_one": request.exclusive})
    said = named.model_dump_json(include={"id_column", "mapping", "one_to_one", "bad_rows"})
    if request.shared:
        digests = [*digests, f"shared {request.shared_sources}"]
    if request.reference is not None:
        digests = [*digests, f"reference {request.reference_source}"]
    if request.link_id or request.link_mapping:
        digests = [*digests, f"linked {request.model_dump_json(include={'link_id', 'link_mapping'})}"]
    if request.with_columns:
        digests = [*digests, f"with columns {'+'.join(request.with_columns)}"]
    read_as = request.reading.to_dict()
    if read_as:
        digests = [*digests, f"read as {sorted(read_as.items())}"]
    if request.publish != "all":
        digests = [*digests, f"publish {request.publish}"]
    if request.bad_values != "missing":
        digests = [*digests, f"bad values {request.bad_values}"]
    if request.year_pivot is not None:
        digests = [*digests, f"year pivot {request.year_pivot}"]
    if others:
        digests = [*digests, *others]
    if model_digest is not None:
        digests = [*digests, f"model {model_digest} {request.allow_drift}"]
    # By what names columns are found is no rule of the spec, yet decides which ones are read.
    names = spec.model_dump_json(include={"fields": {"__all__": {"name", "aliases"}}})
    text = "\n".join([version("headrace"), spec.fingerprint, names, said, *digests])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
