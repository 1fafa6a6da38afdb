"""From a user's request to a described job: open the files, map their columns, settle what will be compared."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import polars as pl
from filelock import FileLock

from core.errors import ConfigError, HeadraceError, InputError
from core.intake.source import Source, open_source
from core.linkage.description import DESCRIPTION, JobDescription, hints_of
from core.linkage.history.base_run import DECISION_SCHEMA, keep_base, open_base, reopen
from core.linkage.history.decisions import keep_decisions, read_decisions, refuse_contradictions
from core.linkage.history.models import MODEL, check_model, read_model, write_model
from core.linkage.request import MatchRequest, job_key
from core.matching.specs.spec import load_spec
from core.storage.workspace import BASE, Workspace

SOURCE = "source"


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes; the whole input decides what a job is."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", path=str(path)) from None


def identify(request: MatchRequest) -> str:
    """Name the job of a request: equal input, spec and columns give the same one.

    Raises:
        SpecError: the spec cannot be read. ConfigError, InputError: the request cannot be meant.
    """
    if request.link is not None and (request.against is not None or request.decisions is not None):
        raise ConfigError("--against and --decisions are for a match within one file, not across two with --link")
    if request.against is not None and request.model is not None:
        raise ConfigError("--against brings the model of its run; leave out --model")
    if request.lookup and request.link is not None:
        raise ConfigError("--lookup is for a match within one file, not across two with --link")
    if request.one_to_one and request.link is None:
        raise ConfigError("--one-to-one pairs the records of two files; give the second one with --link")
    for path in request.inputs:
        if not path.exists():
            raise InputError(f"{path}: no such file", path=str(path))
        if path.is_dir():
            raise InputError(f"{path} is a directory; a CSV or Parquet file is needed", path=str(path))
    model = None if request.model is None else digest(Path(request.model))
    spec, others = load_spec(request.spec), []
    if request.against is not None:
        base = open_base(Path(request.against))
        spec, others = base.description.spec, [f"against {base.digest}"]
    if request.decisions is not None:
        others.append(f"decisions {digest(Path(request.decisions))}")
    if request.lookup:
        # The same answer was perhaps published without its lists: this one is a job of its own.
        others.append("lookup")
    return job_key(request, [digest(path) for path in request.inputs], spec, model, others)


def describe(request: MatchRequest, key: str, workspace: Workspace) -> JobDescription:
    """Open the files and settle what is compared, or read the description that an earlier run of the job left.

    Raises:
        InputError: a file cannot be read as it stands; says where. Nothing stays behind.
        SpecError: too few fields are mapped for three blocking passes. MatchError: the model is for another spec.
    """
    # Processes that join a job at the same moment must not stage the same file over each other.
    workspace.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(workspace.root.with_suffix(".lock")):
        stored = workspace.read_json(DESCRIPTION)
        if stored is not None:
            # Where files are and where the answer goes may have changed; what is matched has not: the key says so. The
            # ranges stay those whose batches were announced.
            before = JobDescription.model_validate(stored)
            resumed = request.model_copy(update={"range_rows": before.request.range_rows})
            return before.model_copy(update={"request": resumed})
        try:
            described = _describe if request.against is None else _describe_increment
            description = described(key, request, workspace)
            _decide(request, description, workspace)
            description = _handed_over(description, workspace)
        except HeadraceError:
            # What other machines see is complete or not there: an object store has nothing of a job that failed here.
            shutil.rmtree(workspace.root, ignore_errors=True)
            raise
        workspace.write_json(DESCRIPTION, description.model_dump(mode="json"))
    return description


def _handed_over(description: JobDescription, workspace: Workspace) -> JobDescription:
    """The job as any machine finds it: the files it names are where all of them see the workspace."""
    sources = tuple(
        source | {"parts": [[workspace.take_in(Path(name), f"{SOURCE}/{n}"), rows] for name, rows in source["parts"]]}
        for n, source in enumerate(description.sources)
    )
    workspace.keep(workspace.root / BASE)
    workspace.keep(workspace.root / MODEL)
    return description.model_copy(update={"sources": sources})


def open_sources(request: MatchRequest, workspace: Workspace) -> list[Source]:
    """Open and check the input files; text is staged in the workspace."""
    hints = hints_of(load_spec(request.spec))
    return [
        open_source(
            path,
            id_column=request.id_column,
            mapping=request.mapping,
            fields=hints,
            staging_dir=workspace.root / SOURCE / str(number),
            bad_rows=request.bad_rows,
            quarantine_path=_side_file(request, number),
        )
        for number, path in enumerate(request.inputs)
    ]


def _describe(key: str, request: MatchRequest, workspace: Workspace) -> JobDescription:
    spec = load_spec(request.spec)
    sources = open_sources(request, workspace)
    mapped = [field.name for field in spec.fields if all(field.column in source.mapping for source in sources)]
    restricted, notices = spec.restrict(mapped)
    if request.model is not None:
        # A copy in the workspace: every worker of the job uses the same one, whatever becomes of the file.
        model = read_model(Path(request.model))
        check_model(model, restricted, request.model)
        workspace.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_model(model, workspace.root / MODEL)
    return JobDescription(
        key=key,
        request=request,
        spec=restricted,
        sources=tuple(source.to_dict() for source in sources),
        notices=(*notices, *(notice for source in sources for notice in source.notices)),
        rows=sum(source.rows for source in sources),
    )


def _describe_increment(key: str, request: MatchRequest, workspace: Workspace) -> JobDescription:
    """The records of a finished run, and behind them the new ones, under all that the run decided."""
    base = open_base(Path(request.against or ""))
    spec, hints = base.description.spec, hints_of(base.description.spec)
    sources = reopen(base.description, hints, workspace.root / SOURCE)
    new = open_source(
        Path(request.input),
        id_column=request.id_column,
        mapping=request.mapping,
        fields=hints,
        staging_dir=workspace.root / SOURCE / "new",
        bad_rows=request.bad_rows,
        quarantine_path=_side_file(request, 0),
        day_first=sources[0].date_order,
        # The columns are those of the run that is added to; a few new records need not have a value in each.
        may_be_empty=True,
    )
    lacking = [name for name in spec.columns if name not in new.mapping]
    if lacking:
        raise InputError(
            f"{new.path} has no column for {', '.join(lacking)}, by which {base.out} was matched; name it with --map",
            path=str(new.path),
            field=lacking[0],
        )
    keep_base(base, new, workspace)
    write_model(base.model, workspace.root / MODEL)
    return JobDescription(
        key=key,
        request=request,
        spec=spec,
        sources=tuple(source.to_dict() for source in (*sources, new)),
        notices=new.notices,
        rows=sum(source.rows for source in sources) + new.rows,
        since=sum(source.rows for source in sources),
        frozen=base.frozen,
        version=base.description.version + 1,
        dataset=base.description.dataset_name,
    )


def _decide(request: MatchRequest, description: JobDescription, workspace: Workspace) -> None:
    """Keep the decisions of the run that is added to, and those that are given now."""
    tables, where = [], "decisions"
    if request.against is not None:
        before = open_base(Path(request.against)).table("decisions")
        tables += [] if before is None else [before.cast(DECISION_SCHEMA)]
    if request.decisions is not None:
        where = request.decisions
        tables.append(read_decisions(Path(where)))
    if not tables:
        return
    decisions = pl.concat(tables).unique(maintain_order=True)
    refuse_contradictions(decisions, where)
    keep_decisions(decisions, [Source.from_dict(each) for each in description.sources], workspace)


def _side_file(request: MatchRequest, number: int) -> Path | None:
    """One side file for each input, so that line numbers stay unambiguous."""
    if request.quarantine is None:
        return None
    path = Path(request.quarantine)
    return path if number == 0 else path.with_stem(f"{path.stem}-{number + 1}")
