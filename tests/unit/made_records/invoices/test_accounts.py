"""Check digits against published examples."""

from core.made_records.invoices.accounts import creditor_reference, iban, swiss_reference


def test_iban_has_the_check_digits_of_the_registry() -> None:
    assert iban("DE", "370400440532013000") == "DE89370400440532013000"
    assert iban("GB", "WEST12345698765432") == "GB82WEST12345698765432"


def test_creditor_reference_has_the_check_digits_of_the_standard() -> None:
    assert creditor_reference("539007547034") == "RF18539007547034"
    assert creditor_reference("RE-2024/17") == creditor_reference("re202417")


def test_swiss_reference_has_the_check_digit_of_the_guidelines() -> None:
    assert swiss_reference("21000000000313947143000901") == "210000000003139471430009017"
    assert len(swiss_reference("F17")) == 27
