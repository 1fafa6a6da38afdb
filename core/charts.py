"""Charts as SVG text: few shapes, classes instead of colours (the page's style sheet knows light, dark and print)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 240, 52, 34, 14
BAR_WIDTH, BAR_HEIGHT = 160, 12
TICKS = 4
LABEL_HEIGHT = 14
NAME_WIDTH = 50


def bar(value: float, most: float, kind: str = "main") -> Markup:
    """One horizontal bar from the left, as long as its share of the largest."""
    length = BAR_WIDTH * min(max(value / most if most else 0.0, 0.0), 1.0)
    shown = max(length, 1.0) if value else 0.0
    return _svg(
        BAR_WIDTH, BAR_HEIGHT, _rect(0, 0, BAR_WIDTH, BAR_HEIGHT, "rail") + _rect(0, 0, shown, BAR_HEIGHT, kind)
    )


def weight_bar(bits: float, most: float) -> Markup:
    """One bar from the middle: to the right for, to the left against."""
    half = BAR_WIDTH / 2
    length = max(half * min(abs(bits) / most if most else 0.0, 1.0), 0.5)
    place, kind = (half, "main") if bits >= 0 else (half - length, "against")
    middle = f'<line class="axis" x1="{half}" y1="0" x2="{half}" y2="{BAR_HEIGHT}"/>'
    return _svg(BAR_WIDTH, BAR_HEIGHT, _rect(place, 0, length, BAR_HEIGHT, kind) + middle)


def score_histogram(
    bins: Sequence[tuple[float, int, int]], width_bits: float, thresholds: Mapping[str, float]
) -> Markup:
    """Pairs by their weight: columns of pairs to review and accepted ones, thresholds as lines. Roots, not counts, are
    drawn, so that the few pairs near the threshold can be seen beside the many far above.
    """
    lo, hi = bins[0][0], bins[-1][0] + width_bits
    lo, hi = min(lo, *thresholds.values()), max(hi, *thresholds.values())
    most = max(review + match for _, review, match in bins)

    def x(bits: float) -> float:
        return LEFT + (WIDTH - LEFT - 8) * (bits - lo) / (hi - lo)

    shapes = _root_axis(most)
    for at, review, match in bins:
        for kind, count, below in (("review", review, 0), ("main", match, review)):
            if count:
                top, base = _y(review + match if kind == "main" else review, most), _y(below, most)
                shapes += _rect(x(at) + 0.5, top, x(at + width_bits) - x(at) - 1, base - top, kind)
    step = 10 ** math.ceil(math.log10(max((hi - lo) / 12, 1)))
    step = step / 2 if (hi - lo) / step < 5 else step
    tick = math.ceil(lo / step) * step
    while tick <= hi:
        shapes += _text(x(tick), HEIGHT - BOTTOM + 16, f"{tick:+.0f}", "middle")
        tick += step
    shapes += _text(WIDTH - 8, HEIGHT - 3, "match weight, bits", "end")
    for name, bits in thresholds.items():
        shapes += f'<line class="threshold" x1="{x(bits):.1f}" y1="{TOP}" x2="{x(bits):.1f}" y2="{HEIGHT - BOTTOM}"/>'
        # To the left of its line there is room for a name only beyond the labels of the axis.
        first = bits == min(thresholds.values()) and len(thresholds) > 1
        end = "end" if first and x(bits) - LEFT > NAME_WIDTH else "start"
        shapes += _text(x(bits) + (-4 if end == "end" else 4), TOP + 8, name, end)
    return _svg(WIDTH, HEIGHT, shapes, "Pairs by match weight")


def columns(counts: Mapping[str, int]) -> Markup:
    """One column a label, with its count above; heights are roots of the counts."""
    most = max(counts.values())
    step = (WIDTH - LEFT - 8) / len(counts)
    wide = min(step - 6, 64)
    shapes = _root_axis(most)
    for number, (label, count) in enumerate(counts.items()):
        middle = LEFT + step * (number + 0.5)
        top = _y(count, most)
        shapes += _rect(middle - wide / 2, top, wide, HEIGHT - BOTTOM - top, "main")
        shapes += _text(middle, top - 4, f"{count:,}", "middle")
        shapes += _text(middle, HEIGHT - BOTTOM + 16, label, "middle")
    shapes += _text(WIDTH - 8, HEIGHT - 3, "records in an entity", "end")
    return _svg(WIDTH, HEIGHT, shapes, "Entities by size")


def _y(count: float, most: int) -> float:
    """Height of a count, on a scale of roots."""
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP - 12) * math.sqrt(count / most if most else 0.0)


def _root_axis(most: int) -> str:
    """Lines across at round counts."""
    shapes, before = "", float(HEIGHT)
    for part in range(1, TICKS + 1):
        exact = most * (part / TICKS) ** 2
        unit = max(10 ** math.floor(math.log10(exact)) // 2, 1) if exact >= 1 else 1
        count = max(int(exact // unit * unit), 1)
        y = _y(count, most)
        if before - y < LABEL_HEIGHT:
            continue
        before = y
        shapes += f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 8}" y2="{y:.1f}"/>'
        shapes += _text(LEFT - 6, y + 4, f"{count:,}", "end")
    base = HEIGHT - BOTTOM
    return shapes + f'<line class="axis" x1="{LEFT}" y1="{base}" x2="{WIDTH - 8}" y2="{base}"/>'


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{Markup.escape(words)}</text>'


def _svg(width: int, height: int, shapes: str, title: str = "") -> Markup:
    named = f'role="img" aria-label="{title}"' if title else 'aria-hidden="true"'
    return Markup(  # noqa: S704 - our own shapes; words in them are escaped
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" {named}>{shapes}</svg>'
    )
