from __future__ import annotations

import numpy as np

from core.matching.compare.patterns import pattern_texts, patterns_of
from core.matching.records.layout import Layout
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import load_spec


def test_pattern_is_written_field_by_field() -> None:
    spec, _ = load_spec("persons").restrict(["first_name", "last_name", "dob", "ssn", "zip"])
    layout = Layout.of(spec)
    levels = np.full((1, layout.n_fields), MISSING, dtype=np.uint8)
    levels[0, :4] = layout.n_levels[0] - 1, 0, MISSING, layout.n_levels[3] - 1
    assert pattern_texts(patterns_of(levels, layout), layout).to_list() == [
        "first_name=exact,last_name=differ,dob=missing,ssn=exact,zip=missing,"
        "suffix=missing,birth_order=missing,middle=missing,sex=missing"
    ]
