"""Facts into one HTML page that needs no script and nothing from elsewhere."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.charts import bar, columns, score_histogram, weight_bar
from core.linkage.results.report_facts import BIN_BITS, Facts
from core.storage.private_file import write_private

SIZES_MAX = 12


def write_page(facts: Facts, path: Path) -> None:
    """Write the page whole or not at all, for its owner's eyes: it may hold values of records."""
    write_private(path, lambda part: part.write_text(render(facts), encoding="utf-8"))


def render(facts: Facts) -> str:
    """The page's text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=lambda value: f"{value:,.0f}", share=_share, bits=lambda value: f"{value:+.1f}")
    return environment.get_template("report.html.j2").render(facts=facts, **_charts(facts))


def _charts(facts: Facts) -> dict[str, Any]:
    thresholds = {"match": facts.match_bits, "review": facts.review_bits}
    sizes = facts.summary["clusters"]["sizes"]
    return {
        "histogram": score_histogram(facts.scores, BIN_BITS, thresholds) if facts.scores else "",
        "sizes": columns(_folded(sizes)) if sizes else "",
        "fields": [(name, list(rows)) for name, rows in groupby(facts.levels, key=lambda row: row.field)],
        "weight_bar": weight_bar,
        "most_bits": max((abs(row.bits) for row in facts.levels), default=1.0),
        "bar": bar,
        "most_pairs": max((each.get("pairs", 0) for each in facts.passes), default=0),
        "most_edges": max((each["edges"] for each in facts.passes), default=0),
    }


def _folded(sizes: dict[str, int]) -> dict[str, int]:
    """The smallest sizes one by one, the others together."""
    ordered = sorted(((int(size), count) for size, count in sizes.items()))
    first, rest = ordered[:SIZES_MAX], ordered[SIZES_MAX:]
    folded = {str(size): count for size, count in first}
    if rest:
        folded[f"{rest[0][0]} or more"] = sum(count for _, count in rest)
    return folded


def _share(value: float) -> str:
    """A share people can read: per cent for large ones, figures that count for small ones."""
    return f"{value:.1%}" if value >= 0.001 or value == 0 else f"{value:.1e}"
