"""From a user's request to a described job: open the files, map their columns, settle what will be compared."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
from filelock import FileLock

from core.errors import ConfigError, HeadraceError, InputError, SpecError
from core.intake.file_digest import FileState, file_digest
from core.intake.known_names.linked_columns import LinkedColumns
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from core.intake.tables.part_files import input_digest, part_files
from core.intake.tables.workbook import check_rows, is_workbook
from core.linkage.description import DESCRIPTION, JobDescription, hints_of, roomy_spec
from core.linkage.history.base_run import DECISION_SCHEMA, Base, keep_base, members_of, open_base, reopen
from core.linkage.history.decisions import (
    TAKEN_BACK,
    keep_decisions,
    notices_of,
    read_decisions,
    refuse_contradictions,
    settled,
)
from core.linkage.history.earlier_runs import earlier_runs, still_there
from core.linkage.history.joint_columns import keep_letters, restore_zeros
from core.linkage.history.leaving import leaving_of
from core.linkage.history.left_over import what_is_left
from core.linkage.history.models import MODEL, check_model, read_model, write_model
from core.linkage.history.values_seen import rows_changed
from core.linkage.kept_columns import require_kept
from core.linkage.name_check import refuse_nameless
from core.linkage.request import MatchRequest, job_key
from core.linkage.request_checks import check_request
from core.matching.scoring.model import Model
from core.matching.specs.spec import MatchSpec, earlier_versions, load_spec
from core.storage.workspace import BASE, Workspace

SOURCE = "source"
YEARS = 100
"""So many years can be told by two digits."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A request that can be meant, under the name of its job, with what was found on the way to the name.

    digests: of the input files, in their order; seen: their states before. base: the run that is added to.
    """

    key: str
    request: MatchRequest
    spec: MatchSpec
    digests: tuple[str, ...]
    base: Base | None
    seen: tuple[tuple[FileState, ...], ...] = ()


def understand(request: MatchRequest, begun: Callable[[str], bool] = lambda key: False) -> Understood:
    """Name the job of a request: equal input, spec and columns give the same one.

    What an older version of Headrace began goes on under the built-in spec that it had, and a model under that which it
    was trained by.

    Args:
        begun: whether there is a job of that name.
    Raises:
        SpecError: the spec cannot be read. ConfigError, InputError: the request cannot be meant.
    Cost: each file is read once, about a second a gigabyte.
    """
    check_request(request)
    model = None if request.model is None else file_digest(Path(request.model))
    spec, base = load_spec(request.spec), None
    others = []
    if request.against is not None:
        base = open_base(Path(request.against))
        spec = base.description.spec
        others.append(f"against {base.digest()}")
    if request.changed != "refuse":
        others.append(f"changed {request.changed}")
    if request.removed is not None:
        others.append(f"removed {file_digest(Path(request.removed))}")
    if request.decisions is not None:
        others.append(f"decisions {file_digest(Path(request.decisions))}")
    if request.lookup:
        if any(field.kind == "words" for field in spec.fields):
            raise ConfigError(
                f"spec {spec.name!r} has a field of kind 'words', by which no record can be looked up yet; match "
                "without `lookup`",
                fields=("lookup", "spec"),
            )
        # The same answer was perhaps published without its lists: this one is a job of its own.
        others.append("lookup")
    files = [part_files(request.named(number)) for number in range(len(request.inputs))]
    seen = tuple(tuple(FileState.of(part.path) for part in parts) for parts in files)
    digests = [input_digest(parts) for parts in files]

    def named(rules: MatchSpec) -> str:
        return job_key(request, digests, rules, model, others)

    if request.model is not None and base is None:
        spec = _spec_of(read_model(Path(request.model)), spec)
    elif base is None and not begun(named(spec)):
        spec = next((each for each in earlier_versions(request.spec) if begun(named(each))), spec)
    return Understood(named(spec), request, spec, tuple(digests), base, seen)


def _spec_of(model: Model, spec: MatchSpec) -> MatchSpec:
    """The version of a built-in spec that a model was trained by; the present one where none fits."""
    trained = {field.name for field in model.fields}
    for version in (spec, *earlier_versions(spec.name)):
        mapped = [field.name for field in version.fields if field.name in trained]
        with suppress(SpecError):
            if version.restrict(mapped)[0].fingerprint == model.spec_fingerprint:
                return version
    return spec


def describe(
    understood: Understood, workspace: Workspace, today: Callable[[], date] = date.today, *, ours: Path | None = None
) -> JobDescription:
    """Open the files and settle what is compared, or read the description that an earlier run of the job left.

    Args:
        today: asked once, for years of two digits: no birthday is in the future.
        ours: folder of private copies of input, which go when records leave.
    Raises:
        InputError: a file cannot be read as it stands; says where. Nothing stays behind.
        SpecError: too few fields are mapped for three blocking passes. MatchError: the model is for another spec.
    """
    request = understood.request
    # Processes that join a job at the same moment must not stage the same file over each other.
    workspace.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(workspace.root.with_suffix(".lock")):
        stored = workspace.read_json(DESCRIPTION)
        if stored is not None:
            # Where files are and where the answer goes may have changed; what is matched has not: the key says so. The
            # ranges stay those whose batches were announced.
            before = JobDescription.model_validate(stored)
            resumed = request.model_copy(update={"range_rows": before.request.range_rows})
            return _fitting(before.model_copy(update={"request": resumed}))
        try:
            if understood.base is None:
                description = _describe(understood, workspace, today())
            else:
                description = _describe_increment(understood, understood.base, workspace, today(), ours)
            description = _decide(understood, description, workspace)
            description = _fitting(_handed_over(description, workspace))
        except HeadraceError:
            # What other machines see is complete or not there: an object store has nothing of a job that failed here.
            shutil.rmtree(workspace.root, ignore_errors=True)
            raise
        workspace.write_json(DESCRIPTION, description.model_dump(mode="json"))
    return description


def _fitting(description: JobDescription) -> JobDescription:
    """The job, if its answer fits the file it goes to. Raises InputError: a sheet cannot hold its rows."""
    out = description.request.out
    if out is not None and is_workbook(Path(out)):
        check_rows(description.rows, Path(out))
    return description


def _handed_over(description: JobDescription, workspace: Workspace) -> JobDescription:
    """The job as any machine finds it: the files it names are where all of them see the workspace."""
    sources = tuple(
        source
        | {
            # Parts in several folders may have one name.
            "parts": [
                [workspace.take_in(Path(name), f"{SOURCE}/{n}/{part}"), rows]
                for part, (name, rows) in enumerate(source["parts"])
            ]
        }
        for n, source in enumerate(description.sources)
    )
    workspace.keep(workspace.root / BASE)
    workspace.keep(workspace.root / MODEL)
    return description.model_copy(update={"sources": sources})


def _opening(understood: Understood, number: int, staging_dir: Path, today: date) -> Opening:
    """How one of the input files is opened."""
    request, linked = understood.request, None
    # Who leaves a name out for one file has said so of that file only.
    asked = request
    if number > 0:
        id_column, mapping = request.said_of_link(number)
        linked = LinkedColumns(id_column, mapping)
        asked = request.model_copy(update={"mapping": request.mapping | mapping})
    pivot = request.year_pivot
    return Opening(
        request.inputs[number],
        id_column=request.id_column,
        fields=hints_of(understood.spec),
        staging_dir=staging_dir,
        mapping=request.mapping,
        bad_rows=request.bad_rows,
        bad_values=request.bad_values,
        years_until=int(f"{today:%Y%m%d}") if pivot is None else (pivot + YEARS - 1) * 10_000 + 1231,
        quarantine_path=_side_file(request, number),
        reading=request.reading,
        more=request.named(number)[1:],
        digest=understood.digests[number],
        linked=linked,
        on_plan=partial(refuse_nameless, asked, understood.spec, request.inputs[number]),
        kept=request.with_columns,
        seen=understood.seen[number] if understood.seen else (),
    )


def _describe(understood: Understood, workspace: Workspace, today: date) -> JobDescription:
    request, spec = understood.request, understood.spec
    folder = workspace.root / SOURCE
    sources = [
        open_source(_opening(understood, number, folder / str(number), today)) for number in range(len(request.inputs))
    ]
    require_kept(request.with_columns, sources)
    sources, restored = restore_zeros(sources, spec)
    mapped = [field.name for field in spec.fields if all(field.column in source.mapping for source in sources)]
    restricted, notices = spec.restrict(mapped)
    model = None if request.model is None else read_model(Path(request.model))
    restricted, lettered = keep_letters(restricted, sources, model)
    restricted, several = roomy_spec(restricted, sources)
    if request.model is not None and model is not None:
        # A copy in the workspace: every worker of the job uses the same one, whatever becomes of the file.
        check_model(model, restricted, request.model)
        workspace.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_model(model, workspace.root / MODEL)
    return JobDescription(
        key=understood.key,
        request=understood.request,
        spec=restricted,
        sources=tuple(source.to_dict() for source in sources),
        notices=(
            *notices,
            *_same_files(sources),
            *(notice for source in sources for notice in source.notices),
            *several,
            *restored,
            *lettered,
        ),
        rows=sum(source.rows for source in sources),
    )


def _same_files(sources: Sequence[Source]) -> list[str]:
    """Say which file is linked with a copy of itself: every record meets its own."""
    first: dict[str, Path] = {}
    return [
        f"{source.path.name} has the same content as {seen.name}: each of its records will meet itself"
        for source in sources
        if (seen := first.setdefault(source.digest, source.path)) is not source.path
    ]


def _describe_increment(
    understood: Understood, base: Base, workspace: Workspace, today: date, ours: Path | None
) -> JobDescription:
    """What is left of a finished run, and behind it the new records, under all that the run decided."""
    request, spec, folder = understood.request, understood.spec, workspace.root / SOURCE
    sources = reopen(base.description, hints_of(spec), folder, request.with_columns)
    added = [_added(understood, base, sources[0], workspace, today)] if request.adds else []
    require_kept(request.with_columns, [*sources, *added])
    members = members_of(base)
    leaving = leaving_of(request, base, members["id"], added[0] if added else None)
    keep_base(base, members, leaving.ids, workspace)
    if len(leaving.ids):
        sources = what_is_left(sources, leaving, folder)
    # What was matched stays as it was read.
    every, restored = restore_zeros((*sources, *added), spec)
    every = [*sources, *every[len(sources) :]]
    rows, since = (sum(source.rows for source in some) for some in (every, sources))
    if not rows:
        raise InputError(f"{request.removed}: nothing is left of {base.out}", path=str(request.removed))
    write_model(base.model, workspace.root / MODEL)
    # All records are packed anew, so new ones with more values than any before are no trouble.
    spec, several = roomy_spec(spec, every)
    return JobDescription(
        key=understood.key,
        request=request,
        spec=spec,
        sources=tuple(source.to_dict() for source in every),
        notices=(
            *(notice for new in added for notice in new.notices),
            *(notice for notice in restored if added and notice.startswith(f"{added[0].path.name}: ")),
            *several,
            *leaving.notices,
            *(still_there(earlier_runs(base.out), request, ours) if len(leaving.ids) else ()),
        ),
        rows=rows,
        since=since,
        frozen=base.frozen,
        version=base.description.version + 1,
        dataset=base.description.dataset_name,
        erases=len(leaving.ids) > 0,
    )


def _added(understood: Understood, base: Base, first: Source, workspace: Workspace, today: date) -> Source:
    """The new records, read as the first file of the run that they are added to."""
    # The columns are those of the run that is added to; a few new records need not have a value in each.
    opening = replace(
        _opening(understood, 0, workspace.root / SOURCE / "new", today),
        day_first=first.date_order,
        readings=first.readings,
        may_be_empty=True,
        on_plan=lambda _columns, _plan: None,
    )
    new = open_source(opening)
    lacking = [name for name in understood.spec.columns if name not in new.mapping]
    if lacking:
        raise InputError(
            f"{new.path} has no column for {', '.join(lacking)}, by which {base.out} was matched; name it with "
            "`mapping`",
            path=str(new.path),
            field=lacking[0],
            fields=("mapping",),
        )
    return new


def _decide(understood: Understood, description: JobDescription, workspace: Workspace) -> JobDescription:
    """Keep the decisions of the run that is added to, and those that are given now; say what was passed over."""
    where, given = "decisions", None
    before = None if understood.base is None else understood.base.table("decisions")
    sources = [Source.from_dict(each) for each in description.sources]
    if before is not None:
        before = _of_those_there(before.cast(DECISION_SCHEMA), description, sources)
    if understood.request.decisions is not None:
        where = understood.request.decisions
        given = read_decisions(Path(where))
    if before is None and given is None:
        return description
    ids = pl.concat([source.ids() for source in sources]).cast(pl.String)
    decisions, taken = settled(before, None if given is None else given.pairs, ids)
    refuse_contradictions(decisions, where)
    keep_decisions(decisions, sources, workspace)
    if given is None:
        return description
    n_waiting = given.pairs.filter(pl.col("decision") != TAKEN_BACK).height - taken.height
    notices = notices_of(given, where, rows_changed(taken, sources, description.spec.columns), n_waiting)
    return description.model_copy(update={"notices": (*description.notices, *notices)})


def _of_those_there(decisions: pl.DataFrame, description: JobDescription, sources: Sequence[Source]) -> pl.DataFrame:
    """Decisions of earlier runs without those on records that are removed."""
    if description.request.removed is None:
        return decisions
    there = pl.concat([source.ids().cast(pl.String) for source in sources])
    for side in ("id_a", "id_b"):
        decisions = decisions.join(there.to_frame(side), on=side, how="semi", maintain_order="left")
    return decisions


def _side_file(request: MatchRequest, number: int) -> Path | None:
    """One side file for each input, so that line numbers stay unambiguous."""
    if request.quarantine is None:
        return None
    path = Path(request.quarantine)
    return path if number == 0 else path.with_stem(f"{path.stem}-{number + 1}")
