"""`headrace match INPUT --pairs FILE`: what the match would say of the pairs that are named."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import ConfigError
from core.linkage.request import MatchRequest
from core.metrics.process import usable_cores

if TYPE_CHECKING:
    import polars as pl

    from core.linkage.resolve import OnDescribed

GivenPairs = Annotated[
    Path | None, typer.Option("--pairs", help="score the pairs of this file only (id_a, id_b); OUT has a row for each")
]
# What goes with entities, and not with pairs; what needs another of them stands before it.
_OF_ENTITIES = (
    "removed", "against", "decisions", "entities", "with_columns", "lookup", "one_to_one", "shared", "reference",
)  # fmt: skip


def match_given_pairs(
    request: MatchRequest, pairs: Path, *, via: str, threads: int | None, tell: OnDescribed, as_json: bool
) -> None:
    """Learn as the match would, weigh these pairs, write them to OUT or print them.

    Raises:
        ConfigError: an option that is about entities is given too. As `core.linkage.resolve.score`.
    """
    from core.linkage.run_record import sink_table
    from core.storage.private_file import write_private
    from core.workloads.identity.cli.planning import asking

    extra = ["changed"] * (request.changed != "refuse") + [name for name in _OF_ENTITIES if getattr(request, name)]
    if via != "local" or extra:
        what = f"`{extra[0]}`" if extra else "`via` prefect"
        raise ConfigError(
            f"`pairs` scores pairs and makes no entities, in this process; leave out {what}",
            fields=("pairs", extra[0] if extra else "via"),
        )
    scored = asking(request, partial(_scored, pairs=pairs, threads=threads or usable_cores(), tell=tell))
    if request.out is not None:
        out = Path(request.out)
        write_private(out, lambda part: sink_table(scored.lazy(), part, out, for_excel=request.csv_for_excel))
    _show(scored, request.out, as_json=as_json)


def _scored(request: MatchRequest, *, pairs: Path, threads: int, tell: OnDescribed) -> pl.DataFrame:
    os.environ.setdefault("POLARS_MAX_THREADS", str(threads))
    from core.linkage.resolve import score
    from core.settings import read_settings
    from core.terminal.progress import stage_progress

    folder = read_settings().state_dir / "workspaces" / "local"
    with stage_progress() as on_progress:
        return score(request, pairs, folder, threads=threads, on_described=tell, on_progress=on_progress)


def _show(scored: pl.DataFrame, out: str | None, *, as_json: bool) -> None:
    """Print how many of each, and the pairs themselves where they are written nowhere."""
    import orjson

    counts = dict(scored["decision"].value_counts().iter_rows())
    figures = {"pairs": scored.height} | {word: counts.get(word, 0) for word in ("match", "review", "differ")}
    if as_json:
        shown = figures if out is not None else figures | {"scored": scored.to_dicts()}
        print(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
        return
    if out is None:
        from core.terminal.tables import emit

        told = scored.drop("pattern", "tf_bits").with_columns(_rounded("score", 2), _rounded("confidence", 4))
        emit("pairs", told.to_dicts(), as_json=False)
    print(
        f"{figures['pairs']:,} pairs: {figures['match']:,} match, {figures['review']:,} review, "
        f"{figures['differ']:,} differ"
    )
    if out is not None:
        print(f"written: {out}")


def _rounded(name: str, digits: int) -> pl.Expr:
    """A column as a person reads it."""
    import polars as pl

    return pl.col(name).round(digits)
