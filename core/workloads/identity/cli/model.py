"""`headrace model`: what a run learnt, kept for the next one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.metrics.process import usable_cores
from core.terminal.options import AsJson, BadRows
from core.workloads.identity.cli.link_options import LinkFiles, LinkIds, LinkMaps, link_ids, link_mappings

if TYPE_CHECKING:
    from core.matching.scoring.model import Model

FileArgument = Annotated[Path, typer.Argument(help="Model file, or OUT.run.json of a match.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Train, show and compare models.", no_args_is_help=True)
    group.command("train")(train)
    group.command("show")(show)
    group.command("diff")(diff)
    app.add_typer(group, name="model")


def train(
    records: Annotated[Path, typer.Argument(metavar="INPUT", help="CSV or Parquet file", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Model file to write (JSON, for your eyes only).")],
    id_column: Annotated[str, typer.Option("--id", help="column that names each record")] = "id",
    spec: Annotated[str, typer.Option(help="built-in match spec (persons), or a YAML file")] = "persons",
    maps: Annotated[list[str] | None, typer.Option("--map", help="field=column, as in match")] = None,
    link: LinkFiles = None,
    link_id: LinkIds = None,
    link_map: LinkMaps = None,
    bad_rows: BadRows = "raise",
    threads: Annotated[int | None, typer.Option(min=1, help="kernel threads (default: all cores)")] = None,
    as_json: AsJson = False,
) -> None:
    """Learn from records what their fields are worth, without labels, and keep it for `headrace match --model`.

    Example: headrace model train people.csv --id person_no --out people.model.json
    """
    import os

    threads = threads or usable_cores()
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))
    from core.errors import ConfigError
    from core.linkage.history.models import write_model
    from core.linkage.resolve import learn
    from core.settings import read_settings
    from core.terminal.progress import stage_progress
    from core.workloads.identity.cli.match_options import matching_request

    if not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.parent}; make it first")
    options = {"input": str(records), "id_column": id_column, "spec": spec, "bad_rows": bad_rows, "out": None}
    linked = {
        "link": tuple(link or ()),
        "link_id": link_ids(link_id or (), len(link or ())),
        "link_mapping": link_mappings(link_map or (), len(link or ())),
    }
    request = matching_request(options | linked, maps or [])
    with stage_progress() as on_progress:
        model = learn(
            request, read_settings().state_dir / "workspaces" / "local", threads=threads, on_progress=on_progress
        )
    write_model(model, out)
    if as_json:
        _json({"out": str(out), **_facts(model)})
        return
    print(
        f"{out}: {len(model.fields)} fields learnt from {model.n_rows:,} records in {model.iterations} iterations"
        + ("" if model.converged else "; not converged, so look at it with `headrace model show`")
    )


def show(file: FileArgument, as_json: AsJson = False) -> None:
    """Say how often each level occurs among pairs of one person (m) and of strangers (u), and what it is worth.

    Example: headrace model show people.model.json
    """
    from core.linkage.history.models import read_model
    from core.matching.quality.model_tables import learning_lines, level_rows
    from core.terminal.tables import emit

    model = read_model(file)
    rows = [row.to_dict() for row in level_rows(model)]
    if as_json:
        _json({**_facts(model), "learning": model.learning, "levels": rows})
        return
    print(", ".join(f"{name} {value}" for name, value in _facts(model).items() if name != "spec_fingerprint"))
    for line in learning_lines(model):
        print(line)
    emit("levels", [_written(row) for row in rows], as_json=False)


def diff(
    before: FileArgument,
    after: Annotated[Path, typer.Argument(help="The other one.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Say which levels changed their worth between two models, the largest change first.

    Example: headrace model diff may.model.json june.model.json
    """
    from core.linkage.history.models import read_model
    from core.matching.quality.model_tables import changes
    from core.terminal.tables import emit

    old, new = read_model(before), read_model(after)
    rows = [row.to_dict() for row in changes(old, new)]
    same = old.spec_fingerprint == new.spec_fingerprint
    prior = new.prior_bits - old.prior_bits
    if as_json:
        _json({"same_spec": same, "prior_bits_change": round(prior, 4), "levels": rows})
        return
    rules = "same spec" if same else "different specs: only levels that both have are compared"
    print(f"{rules}; prior {prior:+.2f} bits")
    emit("levels", [_written(row) for row in rows], as_json=False, empty="no field in common")


def _facts(model: Model) -> dict[str, Any]:
    return {
        "rows": model.n_rows,
        "prior_bits": round(model.prior_bits, 4),
        "iterations": model.iterations,
        "converged": model.converged,
        "spec_fingerprint": model.spec_fingerprint,
        "data_fingerprint": model.data_fingerprint,
    }


def _written(row: dict[str, Any]) -> dict[str, Any]:
    """Shares to three figures and bits with their sign, as text that a table leaves alone."""
    return {
        name: f"{value:+.2f}" if "bits" in name else f"{value:.3g}" if isinstance(value, float) else value
        for name, value in row.items()
    }


def _json(value: dict[str, Any]) -> None:
    import json

    print(json.dumps(value, indent=2))
