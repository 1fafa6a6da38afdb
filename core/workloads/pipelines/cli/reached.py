"""What commands of pipelines open: the spec that is named, the database, the connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from core.connections.blocks import Connections
    from core.pipelines.flow.checking import Checked
    from core.pipelines.language.spec import PipelineSpec
    from core.workloads.pipelines.state.versions import Version

MAX_CATALOG_BYTES = 16 * 1024 * 1024
"""Of a catalog: some 100,000 columns."""
SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The pipeline, in YAML.", show_default=False)]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a pipeline.", show_default=False)]
NameOrSpec = Annotated[str, typer.Argument(metavar="NAME|SPEC", help="A pipeline, or its file.", show_default=False)]


@contextmanager
def reached() -> Iterator[Connections]:
    """The connections of the settings, for the block."""
    from core.connections.blocks import connections_of
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        yield connections_of(runtime.settings, runtime.db)


def version_of(connections: Connections, named: str) -> Version:
    """The approved version of a pipeline by its name, or the one that a file is. Raises InputError: there is none."""
    from core.pipelines.language.reading import read_spec
    from core.workloads.pipelines.cli.files import text_of
    from core.workloads.pipelines.state.versions import approved, approved_as

    path = Path(named)
    is_file = path.suffix.lower() in {".yaml", ".yml"} or path.is_file()
    spec = read_spec(text_of(path)) if is_file else None
    with connections.warehouse.transaction() as conn:
        return approved(conn, named) if spec is None else approved_as(conn, spec, named)


def checked_by(catalog: Path | None, spec: PipelineSpec) -> Checked:
    """A spec checked against the catalog of a file, else against what connections hold. Raises PipelineRefused."""
    from core.workloads.pipelines.cli.files import text_of

    if catalog is not None:
        from core.pipelines.catalog import read_catalog
        from core.pipelines.flow.checking import check
        from core.pipelines.language.yaml_text import read_yaml

        return check(spec, read_catalog(read_yaml(text_of(catalog), MAX_CATALOG_BYTES, "catalog")))
    from core.workloads.pipelines.preparing import prepared

    with reached() as connections:
        return prepared(spec, connections)
