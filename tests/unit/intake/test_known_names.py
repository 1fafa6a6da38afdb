"""Columns of real headers in eight languages are found, and no name stands for two columns of one spec."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from core.intake.columns import plain, plan_columns
from core.intake.known_names import known_names
from core.linkage.description import hints_of
from core.matching.specs.spec import built_in_specs, load_spec

PERSONS = ("first_name", "last_name", "dob", "phone", "street", "city", "zip", "email")
HEADERS = {
    "en": ["Given Names", "Surname", "Date of Birth", "Mobile No.", "Home Address", "Post Town", "Post-Code", "E-Mail"],
    "de": ["Vorname", "Nachname", "Geb.-Datum", "Handynummer", "Straße Nr.", "Wohnort", "PLZ", "E-Mail-Adresse"],
    "fr": ["Prénom", "Nom d'usage", "Né(e) le", "Tél. portable", "Adresse postale", "Commune", "CP", "Courriel"],
    "es": ["Nombre", "Apellidos", "Fecha de nacimiento", "Móvil", "Domicilio", "Población", "Cód. Postal", "Correo"],
    "pt": ["Nome próprio", "Apelido", "Data Nasc.", "Telemóvel", "Morada", "Localidade", "Código Postal", "E-mail"],
    "it": ["Nome", "Cognome", "Data di nascita", "Cellulare", "Indirizzo", "Comune", "CAP", "Posta elettronica"],
    "nl": ["Voornaam", "Achternaam", "Geboortedatum", "Mobiel", "Adres", "Woonplaats", "Postcode", "E-mailadres"],
    "pl": ["Imię", "Nazwisko", "Data urodzenia", "Nr telefonu", "Ulica", "Miasto", "Kod pocztowy", "Adres e-mail"],
}  # fmt: skip
COMPANIES = {
    "en": ["Supplier Name", "VAT No", "Country"],
    "de": ["Firma", "USt-IdNr", "Land"],
    "fr": ["Raison sociale", "SIRET", "Pays"],
    "es": ["Razón social", "CIF", "País"],
    "pt": ["Razão social", "CNPJ", "País"],
    "it": ["Ragione sociale", "P. IVA", "Nazione"],
    "nl": ["Bedrijfsnaam", "KvK-nummer", "Land"],
    "pl": ["Nazwa firmy", "NIP", "Kraj"],
}


def served(header: list[str], spec: str) -> dict[str, tuple[str, ...]]:
    return plan_columns(["No", *header], Path("p.csv"), "No", {}, hints_of(load_spec(spec))).mapping


@pytest.mark.parametrize("language", HEADERS)
def test_every_column_of_a_list_of_persons_is_found(language: str) -> None:
    header = HEADERS[language]
    assert served(header, "persons") == {name: (column,) for name, column in zip(PERSONS, header, strict=True)}


@pytest.mark.parametrize("language", COMPANIES)
def test_every_column_of_a_list_of_companies_is_found(language: str) -> None:
    header = COMPANIES[language]
    assert served(header, "organisations") == {
        name: (column,) for name, column in zip(("name", "tax_id", "country"), header, strict=True)
    }


@pytest.mark.parametrize("spec", built_in_specs())
def test_no_name_stands_for_two_columns(spec: str) -> None:
    columns = defaultdict(set)
    for hint in hints_of(load_spec(spec)):
        for name in (hint.name, *hint.aliases):
            columns[plain(name)].add(hint.name)
    assert {name: found for name, found in columns.items() if len(found) > 1} == {}


def test_a_column_called_name_beside_given_names_holds_the_surname() -> None:
    assert served(["Name", "Vorname"], "persons") == {"first_name": ("Vorname",), "last_name": ("Name",)}
    assert served(["Name", "Vorname", "Nachname"], "persons")["last_name"] == ("Nachname",)
    assert served(["Name", "Geburtstag"], "persons") == {
        "first_name": ("Name",), "last_name": ("Name",), "dob": ("Geburtstag",)
    }  # fmt: skip


def test_specs_of_ones_own_find_their_own_names_only() -> None:
    spec = load_spec("persons").model_copy(update={"name": "own"})
    plan = plan_columns(["id", "Nazwisko", "surname"], Path("p.csv"), "id", {}, hints_of(spec))
    assert plan.mapping == {"last_name": ("surname",)}
    assert known_names("nothing") == ()
