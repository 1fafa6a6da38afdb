"""`headrace bench planner`."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.workloads.assistant.evaluation.scoring import Scored

_NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)


def register(group: typer.Typer) -> None:
    """Add the command to the group `bench`."""
    group.command("planner")(planner)


def planner(
    corpus: Annotated[Path, typer.Option("--corpus", metavar="FILE", help="Catalog and requests with right answers.")],
    as_json: AsJson = False,
) -> None:
    """How often the planner without a model is right, asks, is wrong or unsafe, by kind of the right answer.

    Answers are compared by meaning. No model is asked, so none is measured.

    Example: headrace bench planner --corpus requests.yaml --json
    """
    from core.terminal.tables import emit
    from core.workloads.assistant.cli.ask import yaml_of
    from core.workloads.assistant.evaluation.scoring import score

    found = score(yaml_of(corpus, "corpus"), _NOW)
    kinds = [*dict.fromkeys(one.kind for one in found)]
    rows = [_line(kind, [one for one in found if one.kind == kind]) for kind in kinds]
    emit(f"headrace bench planner --corpus {corpus}", [*rows, _line("all", found)], as_json=as_json)


def _line(kind: str, found: list[Scored]) -> dict[str, Any]:
    counts = Counter(one.verdict for one in found)
    slowest = max((one.seconds for one in found), default=0.0)
    verdicts = {word: counts[word] for word in ("right", "asked", "wrong", "unsafe")}
    return {"answer": kind, "requests": len(found), **verdicts, "slowest ms": round(1_000 * slowest, 1)}
