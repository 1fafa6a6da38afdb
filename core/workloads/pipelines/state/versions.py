"""Versions of a pipeline: written, approved, never changed; and who approves."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError, InputError
from core.pipelines.language.reading import read_spec
from core.pipelines.language.spec import PipelineSpec
from core.pipelines.refusals import instead
from core.settings import Settings

Q = load("pipelines")
ColumnNames = Mapping[str, Mapping[str, str]]
"""Source -> column -> its written type."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a pipeline. columns: those of its sources when it was written."""

    number: int
    spec: PipelineSpec
    columns: ColumnNames

    @property
    def name(self) -> str:
        """Of the pipeline."""
        return self.spec.pipeline

    def frozen(self) -> PipelineSpec:
        """The spec with the columns of its sources declared as they were."""
        return with_columns(self.spec, self.columns)


def with_columns(spec: PipelineSpec, columns: ColumnNames) -> PipelineSpec:
    """The spec with columns of sources declared."""
    sources = {
        name: source.model_copy(update={"columns": dict(columns[name])}) if name in columns else source
        for name, source in spec.sources.items()
    }
    return spec.model_copy(update={"sources": sources})


def fingerprint_of(spec: PipelineSpec) -> str:
    """SHA-256 of what a spec says, in hex: the same whatever its spaces, comments and order of words."""
    said = json.dumps(spec.model_dump(by_alias=True, exclude_none=True, mode="json"), separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()


def person(settings: Settings, db: DatabaseManager) -> str:
    """Who is at the command line: the role of the database, or the login name where the database is our own."""
    if settings.database.url is None:
        return getpass.getuser()
    with db.transaction() as conn:
        return str(run(conn, Q["pipeline_whoami"])[0][0])


def approve(db: DatabaseManager, text: str, columns: ColumnNames, who: str, environment: str) -> int:
    """Keep a spec as a version and approve it; returns the version. The same spec again is the same version.

    Args:
        text: a spec that passed its check. environment: in PRODUCTION whoever wrote a version does not approve it.
    Raises ConfigError: in PRODUCTION it was written by the same person; the version is kept, and waits.
    """
    spec = read_spec(text)
    facts = {"name": spec.pipeline, "spec": text, "fingerprint": fingerprint_of(spec)}
    with db.transaction() as conn:
        given = {**facts, "columns": json.dumps(columns), "written_by": who}
        version, written_by = run(conn, Q["pipeline_version_add"], given)[0]
    if environment == "PRODUCTION" and written_by == who:
        raise ConfigError(
            f"{spec.pipeline} version {version} is written by {who} and waits: in PRODUCTION another person approves it"
        )
    with db.transaction() as conn:
        run(conn, Q["pipeline_approve"], {"name": spec.pipeline, "version": version, "approved_by": who})
    return int(version)


def approved(conn: psycopg.Connection[Any], name: str) -> Version:
    """The version of a pipeline that runs. Raises InputError: there is none; says which pipelines there are."""
    found = run(conn, Q["pipeline_approved"], {"name": name})
    if not found:
        raise InputError(f"there is no approved pipeline {name}{instead(name, names(conn))}", name=name)
    number, text, columns, _ = found[0]
    return Version(number, read_spec(text), columns)


def approved_as(conn: psycopg.Connection[Any], spec: PipelineSpec, path: str) -> Version:
    """The approved version that a spec is. Raises InputError: it was never approved, or changed since."""
    found = run(conn, Q["pipeline_by_fingerprint"], {"name": spec.pipeline, "fingerprint": fingerprint_of(spec)})
    if not found or found[0][4] is None:
        known = run(conn, Q["pipeline_approved"], {"name": spec.pipeline})
        said = f"it differs from version {known[0][0]}, which is" if known else "it is not"
        raise InputError(f"{path}: {said} approved; `headrace pipeline approve {path}` approves it", path=path)
    number, _, columns, _, _ = found[0]
    return Version(number, spec, columns)


def names(conn: psycopg.Connection[Any]) -> list[str]:
    """Of all pipelines."""
    return [name for (name,) in run(conn, Q["pipeline_names"])]


def require_running(conn: psycopg.Connection[Any], name: str) -> None:
    """Raise InputError: somebody paused it."""
    if paused := run(conn, Q["pipeline_paused"], {"name": name}):
        raise InputError(f"{name} is paused by {paused[0][0]}; `headrace pipeline resume {name}` lets it run")
