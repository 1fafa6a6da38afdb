"""Several values of a field in a record: their places, their room, and the models that know nothing of it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from core.errors import SpecError
from core.matching.records.layout import STRIDE_MAX_WORDS, Layout, with_room
from core.matching.records.pack_text import pack_text
from core.matching.records.placeholders import null_values, suspects_of
from core.matching.records.value_places import field_values, in_order, relaid
from core.matching.specs.key_expressions import CHOICES_MAX
from core.matching.specs.spec import FieldSpec, MatchSpec, load_spec
from tests.several_values import LAYOUT, SPEC, frame

PERSONS = load_spec("persons")


def test_in_order_sorts_values_and_keeps_each_once() -> None:
    values = np.array([[[7, 0], [0, 0], [3, 1]], [[5, 2], [5, 2], [1, 0]], [[0, 0]] * 3], dtype=np.uint32)
    expected = [[[7, 0], [3, 1], [0, 0]], [[1, 0], [5, 2], [0, 0]], [[0, 0]] * 3]
    assert in_order(values).tolist() == expected


def test_layout_grows_only_where_a_field_has_several_values() -> None:
    plain, roomy = Layout.of(PERSONS), Layout.of(PERSONS.with_values({"phone": 2}))
    assert plain.stride == 16
    assert roomy.stride == 20
    assert plain.offset == {name: at if at <= plain.offset["phone"] else at - 2 for name, at in roomy.offset.items()}
    assert [len(choices) for choices in plain.key_choices] == [1] * len(PERSONS.passes)
    assert len(roomy.key_choices[2]) == 2
    assert np.array_equal(np.concatenate(plain.key_choices), plain.ops.keys)


def test_fingerprint_says_nothing_of_how_many_values_records_have_room_for() -> None:
    assert PERSONS.with_values({"phone": 3}).fingerprint == PERSONS.fingerprint


def test_with_room_never_makes_a_record_larger_than_it_may_be() -> None:
    fields = [{"name": f"n{at}", "kind": "digits"} for at in range(24)]
    passes = [{"name": "one", "keys": ["n0", "n1", "n2"]}]
    spec = with_room(
        MatchSpec.model_validate({"name": "wide", "fields": fields, "passes": passes}),
        {f"n{at}": 4 for at in range(24)},
    )
    layout = Layout.of(spec)
    assert layout.stride <= STRIDE_MAX_WORDS
    assert sum(field.values for field in spec.fields) > 24
    few = MatchSpec.model_validate({"name": "few", "fields": fields[:3], "passes": passes})
    # Sixty-four choices, more than a record may have keys of one pass.
    roomy = Layout.of(with_room(few, {"n0": 9, "n1": 4, "n2": 4}))
    assert len(roomy.key_choices[0]) == CHOICES_MAX


def test_only_digits_and_mail_addresses_may_be_several() -> None:
    with pytest.raises(ValueError, match="values is for kinds digits, email, field 'town' is 'city'"):
        FieldSpec(name="town", kind="city", values=2)
    with pytest.raises(SpecError, match="bytes a record"):
        wide = [{"name": f"n{at}", "kind": "digits", "values": 4} for at in range(9)]
        Layout.of(MatchSpec.model_validate({"name": "w", "fields": wide, "passes": [{"name": "p", "keys": ["n0"]}]}))


def test_a_placeholder_is_one_value_of_a_record_and_the_others_stay() -> None:
    records = [("oak", (f"217-555-{number:04}", "302-555-0000"), (), ()) for number in range(60)]
    words, _ = pack_text(frame(records), LAYOUT)
    phone = next(field for field in SPEC.fields if field.name == "phone")
    suspects = suspects_of([field_values(words, LAYOUT, "phone")], phone)
    assert len(suspects) == 1
    assert null_values(words, LAYOUT, "phone", suspects) == 60
    assert (np.count_nonzero(field_values(words, LAYOUT, "phone"), axis=1) == 1).all()


def test_relaid_moves_records_under_a_roomier_layout() -> None:
    alone = Layout.of(PERSONS)
    wide = Layout.of(PERSONS.with_values({"ssn": 2, "phone": 3}))
    person = {"first_name": "Ann", "ssn": "123-45-6789", "phone": "217-555-0142", "email": "ann@example.com"}
    texts = pl.DataFrame([person], schema=dict.fromkeys(PERSONS.columns, pl.String))
    assert np.array_equal(relaid(pack_text(texts, alone)[0], alone, wide), pack_text(texts, wide)[0])
