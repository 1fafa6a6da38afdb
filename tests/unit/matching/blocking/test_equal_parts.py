import numpy as np

from core.made_records.persons.generator import generate_persons
from core.matching.blocking.equal_parts import equal_parts, parts_by_field
from core.matching.blocking.shared_passes import key_parts, shared_passes
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.specs.spec import load_spec

FIELDS = ("first_name", "last_name", "dob", "phone", "zip")


def test_pairs_share_a_pass_where_they_share_all_its_parts() -> None:
    spec, _ = load_spec("persons").restrict(FIELDS)
    layout = Layout.of(spec)
    words, vocabulary = pack_text(generate_persons(700, seed=3, duplicates=0.5).select(spec.columns), layout)
    # More than one chunk of pairs, among them doubles.
    ends = np.stack([np.repeat(np.arange(6), 699), np.tile(np.arange(1, 700), 6)]).astype(np.uint32)
    parts = key_parts(layout.ops)
    alike = equal_parts(words, ends, vocabulary, parts)
    passes = shared_passes(words, (ends[0], ends[1]), vocabulary, layout)
    assert passes.any()
    for number, needed in enumerate(parts.needed):
        assert np.array_equal((alike & needed) == needed, (passes >> np.uint32(number)) & 1 == 1)


def test_parts_that_read_one_field_err_together() -> None:
    layout = Layout.of(load_spec("persons").restrict(FIELDS)[0])
    parts = key_parts(layout.ops)
    groups = parts_by_field(parts)
    assert sorted(part for group in groups for part in group) == list(range(len(parts.parts)))
    # Both names, for `unordered` reads them together; birthdays; telephone; postcode.
    assert len(groups) == 4
