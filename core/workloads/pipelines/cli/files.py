"""Specs and catalogs from where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.pipelines.catalog import Catalog
    from core.pipelines.language.spec import PipelineSpec

MAX_CATALOG_BYTES = 16 * 1024 * 1024
"""Of a catalog: some 100,000 columns."""


def catalog_of(path: Path | None, spec: PipelineSpec) -> Catalog:
    """The catalog of a file, else that of the connections that a spec names."""
    if path is not None:
        from core.pipelines.catalog import read_catalog
        from core.pipelines.language.yaml_text import read_yaml

        return read_catalog(read_yaml(text_of(path), MAX_CATALOG_BYTES, "catalog"))
    from core.connections.blocks import connections_of
    from core.connections.catalog import real_catalog
    from core.runtime import open_runtime

    named = {source.at for source in spec.sources.values()} | {spec.sink.at}
    with open_runtime() as runtime:
        return real_catalog(connections_of(runtime.settings, runtime.db), named)


def text_of(path: Path) -> bytes:
    """A file's bytes. Raises InputError: it cannot be read."""
    from core.errors import InputError

    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or type(error).__name__})", path=str(path)) from None
