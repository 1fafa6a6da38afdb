"""A comparison as pictures: SVG that stands alone and reads on light and dark ground, and blocks for terminals."""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from html import escape

from core.scaling.simulation.compare import Comparison
from core.scaling.simulation.world import Moment, Outcome

WIDTH, PANEL, GAP, LEFT, TOP = 960, 170, 46, 64, 64
POINTS = 320
COLUMNS = 64
BLOCKS = " ▁▂▃▄▅▆▇█"

# Of equal lightness on both grounds, told apart by the blind to colours too; drawn last: ours.
COLOURS = {"headrace": "#0a84c1", "threshold": "#c7781a", "keda": "#8a63c9", "clairvoyant": "#3d9a50"}
STYLE = """
svg { background: #ffffff; color: #1c2126; font: 13px system-ui, sans-serif }
text { fill: currentColor } .quiet { opacity: .65 } .grid { stroke: currentColor; opacity: .15 }
path { fill: none; stroke-width: 1.6; stroke-linejoin: round } .ours { stroke-width: 2.6 }
@media (prefers-color-scheme: dark) { svg { background: #15191d; color: #e6e9ec } }
"""

PANELS: dict[str, Callable[[Moment], float]] = {
    "batches that wait": lambda moment: moment.depth,
    "consumers": lambda moment: moment.consumers,
    "age of the oldest, s": lambda moment: moment.oldest_s,
}


def svg(comparison: Comparison, title: str) -> str:
    """Three panels over one axis of time. Text is escaped; nothing is loaded from anywhere."""
    outcomes = comparison.outcomes
    end_s = _end_s(outcomes)
    height = TOP + len(PANELS) * (PANEL + GAP) + 10
    rules = ", ".join(outcome.rule for outcome in outcomes)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(f"{title}; rules: {rules}")}">',
        f"<style>{STYLE}</style>",
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="600">{escape(title)}</text>',
        *_legend(comparison),
    ]
    for number, (name, value) in enumerate(PANELS.items()):
        parts += _panel(name, value, outcomes, TOP + GAP / 2 + number * (PANEL + GAP), end_s)
    return "\n".join([*parts, "</svg>", ""])


def _legend(comparison: Comparison) -> list[str]:
    parts, x = [], LEFT
    for row in comparison.rows()[:-1]:
        words = f"{row['rule']} {row['cost']:,.0f} ({row['of_bound']:.2f} x bound)"
        colour = COLOURS[row["rule"]]
        parts.append(f'<rect x="{x}" y="38" width="14" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 19}" y="45" font-size="11">{escape(words)}</text>')
        x += 222
    return parts


def _panel(
    name: str, value: Callable[[Moment], float], outcomes: Sequence[Outcome], top: float, end_s: float
) -> list[str]:
    peak = max(max(value(moment) for moment in outcome.moments) for outcome in outcomes)
    scale = _round_up(peak)
    bottom = top + PANEL
    parts = [f'<text x="{LEFT}" y="{top - 7:g}" class="quiet">{escape(name)}</text>']
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * PANEL
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - 16}" y1="{y:g}" y2="{y:g}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:g}" text-anchor="end" class="quiet">{share * scale:,g}</text>')
    for number in range(5):
        at_s = end_s * number / 4
        x = LEFT + (WIDTH - 16 - LEFT) * number / 4
        anchor = "end" if number == 4 else "middle"
        parts.append(f'<text x="{x:g}" y="{bottom + 16:g}" text-anchor="{anchor}" class="quiet">{_clock(at_s)}</text>')
    for outcome in reversed(outcomes):
        points = []
        for number, at in enumerate(_sampled(outcome.moments, value, end_s, POINTS)):
            x = LEFT + (WIDTH - 16 - LEFT) * number / (POINTS - 1)
            points.append(f"{x:.1f},{bottom - at / scale * PANEL:.1f}")
        ours = ' class="ours"' if outcome is outcomes[0] else ""
        parts.append(f'<path{ours} stroke="{COLOURS[outcome.rule]}" d="M{" L".join(points)}"/>')
    return parts


def text(comparison: Comparison) -> str:
    """One line of blocks for each rule and panel, all of a panel to one scale."""
    outcomes, lines = comparison.outcomes, []
    end_s = _end_s(outcomes)
    for name, value in PANELS.items():
        sampled = {one.rule: _sampled(one.moments, value, end_s, COLUMNS) for one in outcomes}
        peak = max(max(values) for values in sampled.values()) or 1.0
        lines.append(f"{name}, up to {peak:,.0f}, over {_clock(end_s)}")
        for rule, values in sampled.items():
            blocks = "".join(BLOCKS[math.ceil(at / peak * (len(BLOCKS) - 1))] for at in values)
            lines.append(f"  {rule:<12}|{blocks}|")
    return "\n".join(lines)


def _end_s(outcomes: Sequence[Outcome]) -> float:
    """Long enough for ours and the quicker rivals; one that takes ages is cut rather than flattening the others."""
    ends = [outcome.moments[-1].at_s for outcome in outcomes]
    return max(min(max(ends), 3 * ends[0]), 1.0)


def _sampled(moments: Sequence[Moment], value: Callable[[Moment], float], end_s: float, n: int) -> list[float]:
    """What held at n instants from 0 to the end; 0 before the first moment."""
    times = [moment.at_s for moment in moments]
    found = []
    for number in range(n):
        index = bisect.bisect_right(times, end_s * number / (n - 1)) - 1
        found.append(value(moments[index]) if index >= 0 else 0.0)
    return found


def _round_up(peak: float) -> float:
    if peak <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(peak))
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= peak)


def _clock(at_s: float) -> str:
    if at_s < 120:
        return f"{at_s:.0f} s"
    return f"{at_s / 60:.1f} min" if at_s < 7_200 else f"{at_s / 3_600:.1f} h"
