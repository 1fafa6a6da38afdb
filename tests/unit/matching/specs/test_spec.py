import pytest

from core.errors import SpecError
from core.matching.specs.spec import load_spec

FEBRL = ["first_name", "last_name", "dob", "ssn", "street", "city", "state", "zip"]
SMALL = """
name: small
fields:
  - {name: name, kind: text}
  - {name: born, kind: date}
passes:
  - {name: one, keys: [name]}
  - {name: two, keys: [sound(name), year(born)]}
  - {name: three, keys: [parts(born)]}
"""


def written(tmp_path, text):
    path = tmp_path / "small.yaml"
    path.write_text(text)
    return path


def test_load_spec_gives_defaults_by_kind(tmp_path):
    spec = load_spec(written(tmp_path, SMALL))
    assert [level.label for level in spec.fields[1].levels] == [
        "exact", "date_swapped", "date_digits <= 1", "date_parts", "same_year",
    ]  # fmt: skip
    assert spec.passes[1].fields == ("name", "born")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("kind: text", "kind: tex", ["small.yaml", "fields.0.kind", "'tex'", "surname"]),
        ("kind: text}", "kind: text, levels: [jaro_winkler <= 0.9]}", ["fields.0.levels.0", ">="]),
        ("kind: text}", "kind: text, levels: [exact, digits <= 1]}", ["digits <= 1", "text", "jaro_winkler"]),
        ("kind: text}", "kind: text, levels: [damerau <= 1]}", ["'exact'"]),
        ("kind: text}", "kind: text, swap_with: born}", ["swap_with", "name"]),
        ("kind: text}", "kind: text, made_of: [mail]}", ["made_of", "mail"]),
        ("kind: text}", "kind: text, colour: red}", ["fields.0.colour"]),
        ("kind: text}", "kind: text, part: given}", ["part_of and part", "name"]),
        ("kind: text}", "kind: text, part_of: born, part: given}", ["part_of", "'born'"]),
        ("kind: date}", "kind: date, part_of: whole, part: given}", ["part is for", "given_name", "date"]),
        ("kind: date}", "kind: date, tells_apart: true}", ["tells_apart", "category", "date"]),
        ("kind: text}", "kind: text, slips: keep}", ["slips", "date", "text"]),
        ("[parts(born)]", "[parts(born)], refine: [year(name)]", ["three", "year(name)", "text"]),
        ("[parts(born)]", "[parts(born)], refine: [nothing]", ["'nothing'", "name, born"]),
        ("[parts(born)]", "[parts(born)], refine: [parts(born)]", ["three", "parts(born)", "twice"]),
        ("[parts(born)]", "[parts(name)]", ["three", "parts(name)", "text", "date"]),
        ("[parts(born)]", "[part(born)]", ["part", "parts"]),
        ("[parts(born)]", "['parts(born, 2)']", ["parts", "one argument"]),
        ("[parts(born)]", "[prefix(name)]", ["prefix", "number"]),
        ("[parts(born)]", "['prefix(name, 17)']", ["between 1 and 16"]),
        ("[parts(born)]", "[prefix(name, 3)]", ["passes.2", "quotes"]),
        ("keys: [parts(born)]", "refine: [born]", ["three", "neither keys nor", "top: 10"]),
        ("keys: [parts(born)]", "top: 10", ["three", "`top` and `of` go together"]),
        ("keys: [parts(born)]", "top: 10, of: name", ["'name'", "grams(FIELD, ...)"]),
        ("keys: [parts(born)]", "top: 10, of: words(name)", ["three", "kind words", "name"]),
        ("keys: [parts(born)]", "top: 51, of: words(name)", ["passes.2.top", "50", "51"]),
        ("[parts(born)]", "[parts(born)], top: 5, of: words(name)", ["three", "takes no keys"]),
        ("[parts(born)]", "['rare(name, 2)']", ["three", "rare(name)", "text", "words"]),
        ("[parts(born)]", "['rare(name)']", ["rare", "a field and a number"]),
        ("[parts(born)]", "['rare(name, 5)', 'rare(born, 4)']", ["three", "20 keys", "16"]),
        ("[parts(born)]", "[parts(born)], refine: ['rare(name, 2)']", ["three", "refine", "rare"]),
        ("[parts(born)]", "[dob]", ["'dob'", "name, born"]),
        ("name: two", "name: one", ["pass named twice", "one"]),
        ("name: two, keys", "name: two, wide: true, keys", ["wide passes stand behind", "two"]),
        ("name: small", "name: small\nmatch_bits: -9", ["review_bits"]),
        ("name: small", "name: small\nmatch_bits: 900", ["match_bits", "64", "900"]),
    ],
)
def test_load_spec_names_file_key_value_and_what_is_allowed(tmp_path, old, new, words):
    assert old in SMALL
    with pytest.raises(SpecError) as caught:
        load_spec(written(tmp_path, SMALL.replace(old, new)))
    for word in words:
        assert word in caught.value.message


def test_load_spec_refuses_what_is_no_yaml(tmp_path):
    with pytest.raises(SpecError, match="not YAML"):
        load_spec(written(tmp_path, "fields: ["))
    with pytest.raises(SpecError, match="a spec is a mapping"):
        load_spec(written(tmp_path, "- fields"))


def test_load_spec_lists_the_built_in_ones():
    with pytest.raises(SpecError, match=r"no spec 'people'; built in: .*persons"):
        load_spec("people")


def test_restrict_drops_fields_and_their_passes_with_notices():
    spec, notices = load_spec("persons").restrict(FEBRL)
    assert [field.name for field in spec.fields] == [
        field.name for field in load_spec("persons").fields if field.name in FEBRL or field.mark
    ]
    assert all(set(each.fields) <= set(FEBRL) for each in spec.passes)
    assert "field phone is not mapped and is not compared" in notices
    assert "pass email is dropped: needs email" in notices


def test_restrict_forgets_a_partner_that_is_not_mapped():
    spec, _ = load_spec("persons").restrict(["last_name", "dob", "ssn", "street", "zip", "email"])
    surname = spec.fields[0]
    assert surname.swap_with is None
    assert "swapped" not in [level.label for level in surname.levels]
    fields = {field.name: field for field in spec.fields}
    assert fields["email"].made_of == ("last_name",)
    assert fields["suffix"].read_from == fields["sex"].read_from == ("last_name",)
    assert "middle" not in fields


def test_restrict_refuses_below_three_passes_and_says_what_would_help():
    with pytest.raises(SpecError) as caught:
        load_spec("persons").restrict(["first_name", "dob"])
    assert "mapped: dob, first_name" in caught.value.message
    assert "born_surname: needs last_name" in caught.value.message
    assert caught.value.limit == 3


def test_restrict_refuses_a_field_the_spec_lacks():
    with pytest.raises(SpecError, match="has no field shoe_size"):
        load_spec("persons").restrict([*FEBRL, "shoe_size"])


def test_fingerprint_follows_the_rules():
    spec = load_spec("persons")
    assert spec.fingerprint == load_spec("persons").fingerprint
    assert spec.fingerprint != spec.restrict(FEBRL)[0].fingerprint
    assert spec.fingerprint != spec.model_copy(update={"match_bits": 4.0}).fingerprint


def test_wide_passes_stand_last_and_do_not_make_a_spec_usable(tmp_path):
    text = SMALL.replace("{name: three, keys: [parts(born)]}", "{name: three, wide: true, keys: [parts(born)]}")
    spec = load_spec(written(tmp_path, text))
    assert [each.wide for each in spec.passes] == [False, False, True]
    assert spec.n_always == 2
    with pytest.raises(SpecError, match="only 2 of 2 passes can run"):
        spec.restrict(["name", "born"])


def test_fingerprint_of_a_spec_without_wide_passes_is_what_it_was_before_there_were_any(tmp_path):
    spec = load_spec(written(tmp_path, SMALL))
    assert spec.fingerprint == "6131ea587fd5b57fab67bc0c9f7c4067ebb8bb49346e2202425cc2f85379f687"
    wide = spec.passes[2].model_copy(update={"wide": True})
    assert spec.model_copy(update={"passes": (*spec.passes[:2], wide)}).fingerprint != spec.fingerprint


def test_restrict_drops_refinements_over_columns_that_are_not_mapped(tmp_path):
    text = SMALL.replace("[name]}", "[name], refine: [year(born), 'prefix(name, 2)']}")
    text = text.replace("  - {name: born", "  - {name: town, kind: city}\n  - {name: born")
    text = text.replace("[parts(born)]", "[parts(born)], refine: [town, 'initial(name)']")
    spec, notices = load_spec(written(tmp_path, text)).restrict(["name", "born"])
    assert [each.refine for each in spec.passes] == [("year(born)", "prefix(name, 2)"), (), ("initial(name)",)]
    assert [part.function for part in spec.passes[0].refine_parts] == ["year", "prefix"]
    assert notices == ["field town is not mapped and is not compared"]
