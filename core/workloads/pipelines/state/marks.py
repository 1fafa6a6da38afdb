"""How far a pipeline has read: what it finds at its start, and what a published run leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from core.database.queries import load, run

Q = load("pipelines")


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as it was read: its path below the root, bytes, and when it was written."""

    path: str
    n_bytes: int
    written_ns: int


@dataclass(frozen=True, slots=True)
class Marks:
    """By source: the greatest cursor that is published, as text; and the files that are, by path."""

    watermarks: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, SeenFile]] = field(default_factory=dict)


def marks_of(conn: psycopg.Connection[Any], name: str) -> Marks:
    """What earlier runs of a pipeline have published."""
    files: dict[str, dict[str, SeenFile]] = {}
    for source, path, n_bytes, written_ns in run(conn, Q["pipeline_files_of"], {"name": name}):
        files.setdefault(source, {})[path] = SeenFile(path, n_bytes, written_ns)
    return Marks(dict(run(conn, Q["pipeline_watermarks_of"], {"name": name})), files)


def leave(conn: psycopg.Connection[Any], name: str, run_id: int, marks: Marks) -> None:
    """Keep what a run has read, in the transaction of its rows."""
    for source, watermark in marks.watermarks.items():
        given = {"name": name, "source": source, "watermark": watermark, "run_id": run_id}
        run(conn, Q["pipeline_watermark_set"], given)
    for source, files in marks.files.items():
        read = list(files.values())
        run(
            conn,
            Q["pipeline_files_add"],
            {
                "name": name,
                "source": source,
                "run_id": run_id,
                "paths": [one.path for one in read],
                "sizes": [one.n_bytes for one in read],
                "written": [one.written_ns for one in read],
            },
        )
