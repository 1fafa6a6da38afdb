"""What a described job is going to do, before it does it: columns, fields, what was detected, what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.linkage.description import JobDescription
from core.linkage.request import MatchRequest
from core.matching.blocking.wide_passes import room_of
from core.matching.specs.spec import load_spec


@dataclass(frozen=True, slots=True)
class SourceOutline:
    """One input: its rows, what was detected of its form, and the columns that serve each column of the spec."""

    path: str
    rows: int
    id_column: str
    detected: Mapping[str, str]
    fields: Mapping[str, tuple[str, ...]]
    unmapped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """What a job will do.

    passes, dropped: names of the spec's passes that every job makes and this one can, and cannot. wide: of those that
    it makes as far as there is room for their pairs, empty where there is none. notices: what else should be known.
    linking: see `linking_of`; None within one table.
    """

    spec: str
    rows: int
    sources: tuple[SourceOutline, ...]
    passes: tuple[str, ...]
    dropped: tuple[str, ...]
    notices: tuple[str, ...]
    wide: tuple[str, ...] = ()
    linking: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "spec": self.spec,
            "rows": self.rows,
            "sources": [
                {
                    "path": source.path,
                    "rows": source.rows,
                    "id_column": source.id_column,
                    "detected": dict(source.detected),
                    "fields": {name: list(columns) for name, columns in source.fields.items()},
                    "unmapped": list(source.unmapped),
                }
                for source in self.sources
            ],
            "passes": list(self.passes),
            "dropped_passes": list(self.dropped),
            "wide_passes": list(self.wide),
            "notices": list(self.notices),
            **({} if self.linking is None else {"linking": dict(self.linking)}),
        }


def linking_of(request: MatchRequest) -> dict[str, Any]:
    """How linked files are joined: `mode`, `exclusive`, `every` or `reference`, and the numbers of files it names.

    `every`: a record may have any number of partners, as in runs before exclusive was the default.
    """
    if request.reference_source is not None:
        return {"mode": "reference", "reference": request.reference_source}
    if not request.exclusive or len(request.shared_sources) == len(request.inputs):
        return {"mode": "every"}
    return {"mode": "exclusive", "shared": list(request.shared_sources)}


def outline_of(description: JobDescription) -> Outline:
    """Read from a description what the job will do. The notices on fields and passes are told by its lists instead."""
    running = [each.name for each in description.spec.passes if not each.wide]
    every = [each.name for each in load_spec(description.request.spec).passes if not each.wide]
    wide = [each.name for each in description.spec.passes if each.wide and room_of(description.rows)]
    # Marks are compared without a column of their own, too: they stand beside names.
    beside = {field.name for field in description.spec.fields if field.mark is not None}
    sources = tuple(
        SourceOutline(
            path=Path(source["path"]).name,
            rows=source["rows"],
            id_column=source["id_column"],
            detected=source.get("detected", {}),
            fields={name: tuple(columns) for name, columns in source["mapping"].items()},
            unmapped=tuple(name for name in source["unmapped"] if name not in beside),
        )
        for source in description.sources
    )
    return Outline(
        spec=description.spec.name,
        rows=description.rows,
        sources=sources,
        passes=tuple(running),
        dropped=tuple(name for name in every if name not in running),
        notices=tuple(notice for notice in description.notices if not _told_by_lists(notice)),
        wide=tuple(wide),
        linking=linking_of(description.request) if description.request.link else None,
    )


def _told_by_lists(notice: str) -> bool:
    return notice.startswith("pass ") or notice.endswith("is not mapped and is not compared")
