"""Level patterns in words."""

from __future__ import annotations

from core.linkage.workspace import Array
from core.matching.compare import levels_of
from core.matching.layout import Layout
from core.matching.levels import MISSING


def pattern_texts(patterns: Array, layout: Layout) -> list[str]:
    """Write each pattern as `first_name=exact,dob=differ,...`; one string per distinct pattern, so cost is small."""
    names = [
        {MISSING: "missing", 0: "differ"} | {len(f.levels) - at: level.label for at, level in enumerate(f.levels)}
        for f in layout.spec.fields
    ]
    return [
        ",".join(
            f"{field}={names[at][int(level)]}" for at, (field, level) in enumerate(zip(layout.names, row, strict=True))
        )
        for row in levels_of(patterns, layout)
    ]
