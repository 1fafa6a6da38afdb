"""What stands before a run: the catalog that a spec is held against, and the columns that its sources have now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from core.connections.blocks import Connections
from core.connections.catalog import real_catalog
from core.database.queries import load, run
from core.errors import InputError
from core.pipelines.catalog import Catalog
from core.pipelines.flow.checking import Checked, check
from core.pipelines.flow.sources import leaves
from core.pipelines.language.spec import HttpSource, PipelineSpec, TableSource
from core.pipelines.types import ColumnType
from core.workloads.pipelines.refused import refuse_unbuilt
from core.workloads.pipelines.sources.cells import FileSource, read_cells
from core.workloads.pipelines.sources.folders import files_of
from core.workloads.pipelines.sources.reading import written_by
from core.workloads.pipelines.sources.typed import Written, readable_as, type_held
from core.workloads.pipelines.state.versions import with_columns

Q = load("pipelines")
_TRIED: Final = ("bool", "int", "decimal(38,9)", "date", "timestamp")
"""What a column of texts may be, the narrowest first."""


def prepared(spec: PipelineSpec, connections: Connections) -> Checked:
    """A spec checked against what connections hold; columns that files do not declare are taken from them.

    Raises PipelineRefused: what cannot be. ConfigError, InputError: a connection or file cannot be read. StoreError.
    """
    refuse_unbuilt(spec)
    named = {source.at for source in spec.sources.values()} | {spec.sink.at}
    with connections.warehouse.transaction() as conn:
        names = [name for (name,) in run(conn, Q["pipeline_names"])]
    catalog = real_catalog(connections, named, names)
    return check(with_columns(spec, _inferred(spec, connections, catalog)), catalog)


def columns_written(checked: Checked) -> dict[str, dict[str, str]]:
    """The columns of the sources as a version keeps them."""
    return {source: {name: str(one) for name, one in types.items()} for source, types in checked.sources.items()}


def _inferred(spec: PipelineSpec, connections: Connections, catalog: Catalog) -> dict[str, dict[str, str]]:
    """Columns of sources in folders that declare none, by what is in their first file."""
    found: dict[str, dict[str, str]] = {}
    for name, source in spec.sources.items():
        if isinstance(source, TableSource | HttpSource) or source.columns is not None:
            continue
        block = catalog.blocks.get(source.at)
        if block is not None and block.kind == "folder" and not leaves(source.path):
            found[name] = {column: str(one) for column, one in file_columns(name, source, connections).items()}
    return found


def file_columns(name: str, source: FileSource, connections: Connections) -> Mapping[str, ColumnType]:
    """Columns and types of the first file of a source. Raises InputError: there is none, or it has no row."""
    files = files_of(connections.folder(source.at), source.path, source.at)
    if not files:
        raise InputError(
            f"sources.{name}: no file in {source.at} is called {source.path}, so its columns are unknown; declare them"
        )
    cells = read_cells(files[0].path, source, None)
    if source.kind == "parquet":
        return {column: type_held(dtype) for column, dtype in cells.frame.schema.items()}
    return types_of(cells.frame, written_by(source))


def types_of(texts: pl.DataFrame, written: Written) -> dict[str, ColumnType]:
    """The narrowest type that all values of each column can be read as; text where there are none."""
    return {name: readable_as(texts[name], _TRIED, written) for name in texts.columns}
