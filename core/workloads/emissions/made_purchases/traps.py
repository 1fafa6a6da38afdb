"""Lines that must not count as they stand: what is changed on a plain line, and the fate that it then has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from core.workloads.emissions.made_purchases.world import Line

_GAS: Final = {"code_scheme": "desnz", "code": "WTT- fuels > Gaseous fuels > Natural gas"}
_RAIL: Final = {"code_scheme": "desnz", "code": "Business travel- land > Rail > National rail"}
_STEEL: Final = {
    "code_scheme": "desnz",
    "code": "Material use > Metal > Metal: steel cans > Primary material production",
}
_NO_MONEY: Final = {"amount": "", "currency": "", "amount_basis": "", "valuation": ""}


def _set(fate: str, **changed: str) -> Callable[[Line], tuple[Line, str]]:
    return lambda line: ({**line, **changed}, fate)


def _measured(fate: str, what: Mapping[str, str], **changed: str) -> Callable[[Line], tuple[Line, str]]:
    return lambda line: ({**line, **_NO_MONEY, **what, **changed}, fate)


def _taxed(line: Line) -> tuple[Line, str]:
    return {**line, "amount": "119.00", "tax": "19.00", "amount_basis": "", "currency": "EUR"}, "review"


def _lighter(line: Line) -> tuple[Line, str]:
    """Kilograms booked as tonnes: less than a hundredth of a euro a kilogram."""
    bought = {"amount": "500.00", "currency": "EUR", "quantity": "2000", "unit": "t"}
    return {**line, **_STEEL, **bought}, "review"


TRAPS: Final[Mapping[str, Callable[[Line], tuple[Line, str]]]] = {
    "blank amount": _set("rejected", amount=""),
    "dash for an amount": _set("rejected", amount="-"),
    "error of a spreadsheet": _set("rejected", amount="#N/A"),
    "unknown currency": _set("rejected", currency="XQX"),
    "no currency": _set("rejected", currency=""),
    "currency without a rate": _set("rejected", currency="BRL", amount="1000.00"),
    "decimals of the yen": _set("review", currency="JPY", amount="1200.55"),
    "thousands or decimals": _set("review", amount="1,234"),
    "day or month": _set("review", date="03/04/2024"),
    "no date": _set("rejected", date=""),
    "no valuation": _set("rejected", valuation=""),
    "producer price": _set("rejected", valuation="producer"),
    "tax left in": _taxed,
    "gross without tax": _set("rejected", amount_basis="gross"),
    "absurd amount": _set("review", amount="4500000000"),
    "negative invoice": _set("review", amount="-250"),
    "code without a factor": _set("review", code="221122"),
    "code of another revision": _set("review", code="513210"),
    "code without its last digits": _set("review", code="5415"),
    "no code": _set("review", code="", code_scheme="", text="sundry goods"),
    "credit note without document": _set("review", document_type="credit_note", document_ref=""),
    "ton without a kind": _measured("review", _STEEL, quantity="12", unit="ton"),
    "gallon without a country": _measured("review", _GAS, quantity="40", unit="gallon"),
    "kWh neither gross nor net": _measured("review", _GAS, quantity="1200", unit="kWh"),
    "vehicle-km of passengers": _measured("rejected", _RAIL, quantity="300", unit="vehicle.km"),
    "tonnes that are kg": _lighter,
    "activity without a unit": _measured("rejected", _RAIL, quantity="300", unit=""),
    "waste without treatment": _measured(
        "review", {"code_scheme": "epa-hub", "code": "WASTE > Mixed plastics of no row"}, quantity="3", unit="t"
    ),
    "electricity of a country without rows": _measured(
        "review", {"code_scheme": "", "code": "", "text": "Electricity"}, quantity="900", unit="kWh", country="FR"
    ),
}
"""Slice -> the changed line and its fate."""
