# budget: parameters, a call from a notebook has its options as editors complete them, like the command line
"""`headrace.match`: the whole job in one call, on frames or files."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import polars as pl

from core.errors import ConfigError
from core.linkage.description import JobDescription
from core.linkage.history.base_run import open_base
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.outline import outline_of
from core.made_records.persons.generator import generate_persons
from core.made_records.persons.profiles import DEFAULT_PROFILE
from core.metrics.process import usable_cores
from core.terminal.progress import stage_progress
from core.workloads.identity.outline_text import outline_lines
from core.workloads.identity.python.frames import F, as_file, as_polars, is_pandas, listed, numbered, said_of_each
from core.workloads.identity.python.result import MatchResult


def match(
    records: F | str | Path | None = None,
    *,
    spec: str | Path | None = None,
    id: str | None = None,  # noqa: A002 - the option's name on the command line
    map: Mapping[str, str] | None = None,  # noqa: A002
    link: Any = None,
    link_id: str | Sequence[str] | None = None,
    link_map: Mapping[str, str] | Sequence[Mapping[str, str]] | None = None,
    one_to_one: bool | None = None,
    shared: Any = None,
    reference: Any = None,
    model: str | Path | None = None,
    against: MatchResult[Any] | str | Path | None = None,
    changed: Literal["refuse", "replace"] = "refuse",
    removed: Any = None,
    decisions: Any = None,
    best_records: bool = False,
    without_names: bool = False,
    threads: int | None = None,
    memory_gb: float | None = None,
    quiet: bool = False,
) -> MatchResult[F]:
    """Find which records are the same person, or supplier, or whatever `spec` describes.

    Args:
        records: a frame of polars or pandas, or the path of a file; None: only records of `against` are removed.
        spec: name of a built-in match spec, or path of a YAML file; by default `persons`, or that of `against`.
        id: column that names each record; by default `id`, and for a frame without one its row numbers.
        map: field -> column; "" leaves the field out. Columns with a usual name are found by themselves.
        link: another frame or path, or several: only pairs across them are compared.
        link_id: column that names each record of what is linked; a list: of each, in their order.
        link_map: field -> column of what is linked, beside `map`; a list: of each, in their order.
        one_to_one: with link: an entity has at most one record of each, the default; False: any number of partners.
        shared: with link: what is linked whose records may have several partners: itself, its number (0 is `records`),
            or its path; or several.
        reference: with link: what answers: each record of the others gets one of its records, or none.
        against: a result, or the output of a finished match, that the records are added to.
        changed: "replace": records with an id that is known already take the place of the old ones.
        removed: ids (a list, a frame or a path) of records that are taken out of it.
        decisions: a frame or path with `id_a`, `id_b`, `decision` (match or differ).
        best_records: whether `best_records` of the result are wanted.
        without_names: go on although no column holds the names that a built-in spec asks for.
        threads: all cores by default. memory_gb: the most the process may hold; by default six tenths of what is free.
        quiet: do not say on stderr what will be done before it is done.
    Returns:
        The result; its files are temporary and private.
    Raises:
        HeadraceError: InputError, SpecError, ConfigError as `headrace match`, before any work.
    Cost: about 7 s a million persons on two cores; frames are written to disk once.
    """
    folder = TemporaryDirectory(prefix="headrace-")
    here = Path(folder.name)
    try:
        before = None if against is None else _base_of(against)
        if before is not None:
            _refuse_numbered(records, id or before.request.id_column)
        request = _request(
            here,
            _removed(removed, here) if records is None else records,
            listed(link),
            before.request.id_column if before is not None and id is None else id,
            said_of_each("link_id", link_id, len(listed(link))),
            link_mapping=said_of_each("link_map", link_map, len(listed(link))),
            spec=str(spec or ("persons" if before is None else before.request.spec)),
            mapping=dict(map or ({} if before is None else before.request.mapping)),
            against=None if before is None else str(before.out),
            changed=changed,
            removed=None if removed is None else _removed(removed, here),
            one_to_one=one_to_one,
            shared=tuple(_which(each, [records, *listed(link)]) for each in listed(shared)),
            reference=None if reference is None else _which(reference, [records, *listed(link)]),
            model=None if model is None else str(Path(model).absolute()),
            decisions=_decisions(decisions, here),
            entities=str(here / "best.parquet") if best_records else None,
            without_names=without_names,
            memory_gb=memory_gb,
        )
        with stage_progress() as on_progress:
            summary = resolve(
                request,
                here / "work",
                threads=threads or usable_cores(),
                on_described=_print_nothing if quiet else _print_outline,
                on_progress=on_progress,
            )
    except BaseException:
        folder.cleanup()
        raise
    return MatchResult(folder, here / "out.parquet", summary, pandas=is_pandas(records))


def made_persons(
    rows: int = 1_000, *, seed: int = 7, duplicates: float = 0.3, profile: str = DEFAULT_PROFILE
) -> pl.DataFrame:
    """Generated persons to try things on: `id`, names and the like, and `entity_id`, who each of them truly is.

    Args:
        rows: how many. duplicates: share of them that are a damaged record of someone else. seed: equal seeds give
            equal persons. profile: what the people are like: families, registry, crm, international or plain.
    """
    return generate_persons(rows, seed=seed, duplicates=duplicates, profile=profile)


def _request(
    here: Path, records: Any, links: Sequence[Any], id_column: str | None, link_ids: Sequence[str], **fields: Any
) -> MatchRequest:
    names = [id_column, *(said or id_column for said in link_ids or [""] * len(links))]
    numbers = numbered([records, *links])
    files = [as_file(each, here, name, said) for (name, each), said in zip(numbers, names, strict=True)]
    (first, column), others = files[0], [str(path.absolute()) for path, _ in files[1:]]
    return MatchRequest(
        input=str(first.absolute()),
        id_column=column,
        link=tuple(others),
        link_id=tuple(link_ids),
        out=str(here / "out.parquet"),
        **fields,
    )


class _Base(NamedTuple):
    """The finished match that records are added to."""

    out: Path
    request: MatchRequest


def _base_of(against: Any) -> _Base:
    out = against.out if isinstance(against, MatchResult) else Path(against).absolute()
    return _Base(out, open_base(out).description.request)


def _which(named: Any, given: Sequence[Any]) -> str:
    """What is matched, as a request names it: its number where it is one of those given, else as it is said."""
    same = next((number for number, each in enumerate(given) if each is named), None)
    return str(named if same is None else same)


def _refuse_numbered(records: Any, id_column: str) -> None:
    """Refuse a frame without ids: its rows would be counted from 0, as those before were. Raises ConfigError."""
    frame = as_polars(records)
    if frame is not None and id_column not in frame.columns:
        raise ConfigError(
            f"the frame has no column {id_column!r}, by which `against` names records; add one of ids that are new",
            fields=("id",),
        )


def _removed(removed: Any, here: Path) -> str:
    """The file of the ids that are removed. Raises ConfigError: nothing is said, or neither ids nor a file of them."""
    if removed is None:
        raise ConfigError("say what to match: headrace.match(records); only against=..., removed=... does without")
    if not isinstance(removed, str | Path) and as_polars(removed) is None:
        if not isinstance(removed, Iterable):
            raise ConfigError(f"`removed` {removed!r}: give ids in a list, a frame or a file", fields=("removed",))
        removed = pl.DataFrame({"id": [str(each) for each in removed]}, schema={"id": pl.String})
    path, _ = as_file(removed, here, "removed", None)
    return str(path.absolute())


def _decisions(decisions: Any, here: Path) -> str | None:
    if decisions is None:
        return None
    path, _ = as_file(decisions, here, "decisions", "id_a")
    return str(path.absolute())


def _print_outline(description: JobDescription) -> None:
    print("\n".join(outline_lines(outline_of(description))), file=sys.stderr)


def _print_nothing(_description: JobDescription) -> None:
    pass
