"""Column names as people write them, and the fields of `persons` that they serve."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.errors import SpecError
from core.intake.columns import ColumnPlan, joined, plain, plan_columns
from core.linkage.description import hints_of
from core.linkage.request import MatchRequest, job_key
from core.matching.specs.spec import load_spec

NAMES = ("first_name", "last_name", "dob")
HOME = ("street", "zip", "city")


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("Vorname;Nachname;Geburtsdatum;Straße;PLZ;Ort;Telefon", (*NAMES, *HOME, "phone")),
        ("VORNAME;FAMILIENNAME;GEB_DATUM;ANSCHRIFT;POSTLEITZAHL;WOHNORT;BUNDESLAND", (*NAMES, *HOME, "state")),
        ("prénom;nom;date_naissance;adresse;code_postal;ville;courriel", (*NAMES, *HOME, "email")),
        ("Prenom;Nom de famille;Date de naissance;Rue;Code postal;Commune;Téléphone", (*NAMES, *HOME, "phone")),
        ("nombre;apellidos;fecha_nacimiento;dirección;código_postal;ciudad;correo", (*NAMES, *HOME, "email")),
        ("nome;cognome;data di nascita;indirizzo;zip;città;telefono", (*NAMES, *HOME, "phone")),
        ("nome;sobrenome;data_nascimento;endereço;CEP;cidade", (*NAMES, *HOME)),
        ("voornaam;achternaam;geboortedatum;straat;postcode;woonplaats", (*NAMES, *HOME)),
        ("firstName;lastName;dateOfBirth;streetAddress;zipCode;town;phoneNumber", (*NAMES, *HOME, "phone")),
        ("First Name;Last Name;Date of Birth;Address Line 1;ZIP Code;City;E-Mail", (*NAMES, *HOME, "email")),
        ("first.name;LAST-NAME;D.O.B.;street;zip;city;Mobile_Phone", (*NAMES, *HOME, "phone")),
        ("given_name;surname;date_of_birth;address_1;postcode;suburb;soc_sec_id", (*NAMES, *HOME, "ssn")),
    ],
)
def test_persons_finds_columns_in_other_languages_and_cases(header: str, fields: tuple[str, ...]) -> None:
    columns = header.split(";")
    plan = plan_columns(["id", *columns], Path("in.csv"), "id", None, hints_of(load_spec("persons")))
    assert plan.mapping == {field: (column,) for field, column in zip(fields, columns, strict=True)}


def test_persons_serves_no_field_by_a_name_that_could_mean_two() -> None:
    columns = ["id", "namn", "land", "title", "date", "number", "code"]
    assert plan_columns(columns, Path("in.csv"), "id", None, hints_of(load_spec("persons"))).mapping == {}


def test_aliases_of_a_spec_never_name_two_fields() -> None:
    for name in ("persons", "persons_freeform", "organisations"):
        seen: dict[str, str] = {}
        for hint in hints_of(load_spec(name)):
            for alias in (hint.name, *hint.aliases):
                assert seen.setdefault(plain(alias), hint.name) == hint.name, (name, alias)


def test_nothing_recognised_is_said_in_one_short_sentence() -> None:
    with pytest.raises(SpecError, match="no column of the input is recognised; .* --map first_name=COLUMN") as told:
        load_spec("persons").restrict([])
    assert len(str(told.value)) < 220


def test_other_aliases_are_the_same_rules_but_another_job() -> None:
    spec = load_spec("persons")
    fields = tuple(field.model_copy(update={"aliases": ()}) for field in spec.fields)
    bare = spec.model_copy(update={"fields": fields})
    request = MatchRequest(input="in.csv", id_column="id")
    assert bare.fingerprint == spec.fingerprint
    assert job_key(request, ["digest"], bare) != job_key(request, ["digest"], spec)


def persons_plan(columns: str, mapping: dict[str, str] | None = None) -> ColumnPlan:
    return plan_columns(["id", *columns.split()], Path("in.csv"), "id", mapping, hints_of(load_spec("persons")))


def test_telephones_and_mail_addresses_are_gathered_from_all_their_columns_in_the_order_of_the_file() -> None:
    plan = persons_plan("email2 mobile first_name Phone home_phone e-mail")
    assert plan.mapping["phone"] == ("mobile", "Phone", "home_phone")
    assert plan.mapping["email"] == ("email2", "e-mail")
    assert plan.apart == {"phone", "email"}
    assert plan.notices == ()


def test_identifiers_of_two_kinds_are_not_one_and_the_other_is_told_with_its_way_in() -> None:
    plan = persons_plan("ssn tax_id first_name last_name prenom")
    assert plan.mapping["ssn"] == ("ssn",)
    assert plan.notices == (
        "in.csv: column 'tax_id' is known for ssn, which ssn serves; left aside (`mapping` "
        "ssn=tax_id takes it instead)",
        "in.csv: column 'prenom' is known for first_name, which first_name serves; left aside (`mapping` "
        "first_name=prenom takes it instead)",
    )
    assert persons_plan("ssn tax_id", {"ssn": ""}).notices == ()


def test_a_mapping_of_two_columns_reads_both_telephones_and_joins_the_parts_of_a_name() -> None:
    plan = persons_plan("a b c home_phone", {"phone": "a+b", "street": "b+c"})
    assert plan.mapping == {"phone": ("a", "b"), "street": ("b", "c")}
    assert plan.apart == {"phone"}
    texts = pl.DataFrame({"a": ["1", None], "b": ["2", "3"], "c": ["4", None], "id": ["x", "y"]})
    read = texts.select(**joined({name: pl.col(name) for name in texts.columns}, plan))
    assert read.rows() == [("x", "1; 2", "2 4"), ("y", "3", "3")]
    # Whoever says which column it is means that one alone, and need not be told of others.
    chosen = persons_plan("mobile home_phone", {"phone": "mobile"})
    assert chosen.mapping["phone"] == ("mobile",)
    assert chosen.notices == ()
