"""`headrace explain`: why two records are one entity, or why not."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from core.jobs.ports import Stage
    from core.linkage.results.explanation import Run

EPILOG = """
Examples:

  headrace explain P0000017 P0000902 --of resolved.parquet

  headrace explain 17 902 --job 3 --json

  headrace explain 0:17 2:17 --out linked.parquet

Bits: each is a factor of two; 0 in all is an even chance that both records are one person, 3.3 is ten to one.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", epilog=EPILOG)(explain)


def explain(
    id_a: Annotated[
        str, typer.Argument(metavar="ID1", help="id of one record; N:ID of the Nth linked file", show_default=False)
    ],
    id_b: Annotated[str, typer.Argument(metavar="ID2", help="id of the other", show_default=False)],
    of: Annotated[Path | None, typer.Option("--of", help="output of the `headrace match` to explain")] = None,
    out: Annotated[Path | None, typer.Option("--out", hidden=True, help="as --of")] = None,
    job: Annotated[int | None, typer.Option(help="job of the queue to explain (see `headrace jobs`)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the evidence as JSON")] = False,
) -> None:
    """Say field by field what speaks for and against two records being the same."""
    from core.errors import ConfigError
    from core.linkage.results import explanation
    from core.terminal.progress import rows_progress

    out = of or out
    if (out is None) == (job is None):
        raise ConfigError("say which run to explain: --of FILE of a match, or --job NUMBER of the queue")
    run = explanation.run_of_output(out) if out is not None else _run_of_job(job or 0)
    with rows_progress() as move:
        found = explanation.explain(run, id_a, id_b, partial(move, "records read"))
    decision = explanation.decision_of(out, found) if out is not None else {}
    if as_json:
        import orjson

        print(orjson.dumps({**found.to_dict(), **decision}, option=orjson.OPT_INDENT_2).decode())
        return
    for line in found.to_lines():
        print(line)
    print(_verdict(found.total_bits, run.description.spec.match_bits, decision))


def _verdict(bits: float, match_bits: float, decision: dict[str, Any]) -> str:
    alone = "accepted as a match" if bits >= match_bits else "not accepted as a match"
    if not decision:
        return f"alone the pair is {alone} (threshold {match_bits:+.1f} bits)"
    ended = "one entity" if decision["same_entity"] else "two entities"
    said = f"alone the pair is {alone} (threshold {match_bits:+.1f} bits); in the output the records are {ended}"
    way = decision.get("in_the_way")
    return said if way is None else f"{said}\nkept apart: {way}"


def _run_of_job(job_id: int) -> Run:
    from core.errors import ConfigError
    from core.linkage.description import DESCRIPTION, JobDescription
    from core.linkage.results import explanation
    from core.queue.producers import jobs
    from core.queue.producers.stages import results
    from core.runtime import open_runtime

    with open_runtime() as runtime:
        found = jobs.find(runtime.db, job_id)
        if found is None:
            raise ConfigError(f"there is no job {job_id}; `headrace jobs` lists them")
        with closing(runtime.workspace(str(dict(found.parameters)["workspace"]))) as workspace:
            stored = workspace.read_json(DESCRIPTION)
            if stored is None:
                raise ConfigError(f"the workspace of job {job_id} is gone: {workspace.uri}")
            stages: tuple[Stage, ...] = ("reduce", "train", "plan")
            outputs = {stage: results(runtime.db, job_id, stage) for stage in stages}
            return explanation.run_of_job(workspace, JobDescription.model_validate(stored), outputs)
