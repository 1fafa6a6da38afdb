"""Lines that hang together: covered purchases, credit notes, orders and invoices, repeats; and activities."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from core.workloads.emissions.made_purchases.truth import activity_kg, activity_rows, spend_kg
from core.workloads.emissions.made_purchases.world import Line, Truth, World, plain, supplier_of, truth_of

Made = list[tuple[Line, Truth]]
_RAIL: Final = "Business travel- land > Rail > National rail"


def taxed(world: World, row: int) -> Made:
    """An amount booked gross, its tax beside it."""
    line, truth = plain(world, row)
    net, currency = Fraction(line["amount"]), line["currency"]
    cents = int(world.cents[row])
    tax = cents // 5 if currency != "JPY" else int(net) // 5
    gross = f"{(cents + tax) // 100}.{(cents + tax) % 100:02d}" if currency != "JPY" else str(int(net) + tax)
    written = f"{tax // 100}.{tax % 100:02d}" if currency != "JPY" else str(tax)
    return [({**line, "amount": gross, "tax": written, "amount_basis": "gross"}, {**truth, "slice": "gross with tax"})]


def written_otherwise(world: World, row: int) -> Made:
    """Decimal comma and thousands, and a day that only one order of its numbers gives."""
    line, _ = plain(world, row, currency="EUR")
    euros = f"{int(world.cents[row]) / 100:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".")
    year = line["date"][:4]
    kg = spend_kg(Fraction(int(world.cents[row]), 100), "EUR", int(year), line["code"])
    line = {**line, "amount": euros, "date": f"{13 + row % 15}/04/{year}"}
    return [(line, truth_of(world, row, "decimal comma", kg))]


def activity(world: World, row: int) -> Made:
    """A quantity with a row of DESNZ."""
    code, unit = activity_rows()[int(world.free[row]) % len(activity_rows())]
    quantity = f"{int(world.cents[row]) // 100}.{int(world.cents[row]) % 100:02d}"
    line = {
        **_bare(world, row),
        "document_type": "activity",
        "code_scheme": "desnz",
        "code": code,
        "quantity": quantity,
        "unit": unit,
    }
    return [(line, truth_of(world, row, "activity", activity_kg(Fraction(quantity), code)))]


def footprint(world: World, row: int) -> Made:
    """A supplier's figure of cradle to gate, before the spend factor."""
    line, _ = plain(world, row, quantity="12.5", unit="t", amount="10000", currency="EUR")
    stated = {
        "supplier_factor": "1.75",
        "supplier_factor_unit": "kgCO2e/kg",
        "supplier_factor_boundary": "cradle-to-gate",
    }
    return [({**line, **stated}, truth_of(world, row, "supplier's figure", Fraction(12_500) * Fraction("1.75")))]


def covered(world: World, row: int) -> Made:
    """An invoice, and an activity record that stands for six tenths of it."""
    line, _ = plain(world, row, amount="1000", currency="USD")
    kg = spend_kg(Fraction(400), "USD", int(line["date"][:4]), line["code"])
    record = {
        **_bare(world, row + 1),
        "document": line["document"],
        "document_type": "activity",
        "date": line["date"],
        "code_scheme": "desnz",
        "code": _RAIL,
        "quantity": "2000",
        "unit": "passenger.km",
        "covers_amount": "600",
    }
    return [
        (line, truth_of(world, row, "covered in part", kg)),
        (record, truth_of(world, row + 1, "covered in part", activity_kg(Fraction(2000), _RAIL))),
    ]


def credited(world: World, row: int) -> Made:
    """An invoice, and a credit note of a quarter of it."""
    line, _ = plain(world, row, amount="1000", currency="EUR")
    year = int(line["date"][:4])
    note = {
        **line,
        "line_id": f"L{row + 1:09d}",
        "document": f"CRE{row:09d}",
        "document_type": "credit_note",
        "document_ref": line["document"],
        "amount": "-250",
    }
    kgs = [spend_kg(Fraction(amount), "EUR", year, line["code"]) for amount in (1000, -250)]
    truths = [truth_of(world, row + place, "credit note", kg) for place, kg in enumerate(kgs)]
    truths[1]["entity"] = truths[0]["entity"]
    return [(line, truths[0]), (note, truths[1])]


def ordered(world: World, row: int) -> Made:
    """An order, and the invoice that refers to it."""
    line, truth = plain(world, row)
    order = {**line, "document": f"ORD{row:09d}", "document_type": "order"}
    invoice = {**line, "line_id": f"L{row + 1:09d}", "document_ref": order["document"]}
    invoiced = {**truth, "line_id": f"L{row + 1:09d}", "slice": "order and invoice"}
    return [(order, {**truth, "kg": "", "fate": "superseded", "slice": "order and invoice"}), (invoice, invoiced)]


def repeated(world: World, row: int) -> Made:
    """A line of a document that was booked twice."""
    line, truth = plain(world, row)
    again = {**truth, "line_id": f"L{row + 1:09d}", "kg": "", "fate": "excluded", "slice": "booked twice"}
    return [(line, {**truth, "slice": "booked twice"}), ({**line, "line_id": again["line_id"]}, again)]


def _bare(world: World, row: int) -> Line:
    day, _ = plain(world, row)
    return {"line_id": f"L{row:09d}", "document": f"ACT{row:09d}", "date": day["date"], **supplier_of(world, row)}


GROUPS: Final[tuple[tuple[float, int, Callable[[World, int], Made]], ...]] = (
    (0.05, 1, taxed),
    (0.03, 1, written_otherwise),
    (0.08, 1, activity),
    (0.03, 1, footprint),
    (0.02, 2, covered),
    (0.02, 2, credited),
    (0.02, 2, ordered),
    (0.01, 2, repeated),
)
"""Share of the rows, how many lines at once, and what makes them."""
