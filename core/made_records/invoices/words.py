"""Words that companies are called by and bank lines are written in; invented, or everyday words of the trade."""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """code, currency of its invoices, currency of payers who pay in another, language, digits of an account, weight."""

    code: str
    currency: str
    pays_in: str
    language: str
    n_digits: int
    weight: float
    forms: tuple[str, ...]


COUNTRIES = (
    Country("DE", "EUR", "USD", "de", 18, 30, ("GmbH", "AG", "GmbH & Co. KG", "KG", "e.K.", "UG")),
    Country("AT", "EUR", "CHF", "de", 16, 6, ("GmbH", "AG", "KG", "OG")),
    Country("CH", "CHF", "EUR", "de", 17, 7, ("AG", "GmbH", "SA")),
    Country("FR", "EUR", "GBP", "fr", 23, 10, ("SARL", "SA", "SAS", "EURL")),
    Country("NL", "EUR", "USD", "en", 10, 7, ("B.V.", "N.V.", "V.O.F.")),
    Country("ES", "EUR", "USD", "es", 20, 6, ("S.L.", "S.A.", "S.L.U.")),
    Country("IT", "EUR", "USD", "en", 23, 6, ("S.r.l.", "S.p.A.", "S.n.c.")),
    Country("GB", "GBP", "EUR", "en", 14, 8, ("Ltd", "PLC", "LLP", "Limited")),
    Country("US", "USD", "EUR", "en", 10, 10, ("Inc.", "LLC", "Corp.", "Co.")),
    Country("JP", "JPY", "USD", "en", 7, 4, ("K.K.", "Co., Ltd.", "G.K.")),
    Country("KW", "KWD", "USD", "en", 26, 3, ("W.L.L.", "K.S.C.", "Co.")),
    Country("PL", "EUR", "USD", "en", 24, 3, ("Sp. z o.o.", "S.A.")),
)
IBAN_COUNTRIES = tuple(country.code not in {"US", "JP"} for country in COUNTRIES)
TAXED = {"JP": 1021, "KW": 500, "PL": 2000}
"""Country -> share of an invoice that its payers withhold as tax, in hundredths of a percent."""

TRADES = """
Bau Technik Handel Logistik Metallbau Elektro Druck Medien Systeme Maschinen Textil Holz Glas Papier Pharma Chemie
Foods Trading Supplies Industries Solutions Services Packaging Engineering Logistics Textiles Tools Plastics Optics
Automation Motors Energy Shipping Interiors Catering Studios Marine Labs Components Instruments Castings Bearings
""".split()
JOINS = (" ", " & ", " + ", "-")
NATIVE = {
    "JP": ("ヤマダ", "サトウ", "スズキ", "タナカ", "ワタナベ", "イトウ", "ナカムラ", "コバヤシ"),
    "KW": ("الصباح", "العتيبي", "المطيري", "الرشيد", "الخليج", "الكويتية"),
}
LATIN = {
    "JP": ("Yamada", "Sato", "Suzuki", "Tanaka", "Watanabe", "Ito", "Nakamura", "Kobayashi"),
    "KW": ("Al-Sabah", "Al-Otaibi", "Al-Mutairi", "Al-Rashid", "Al-Khaleej", "Kuwaitia"),
}

# language -> how a payer begins a line with numbers of invoices
INTROS = {
    "de": ("Rechnung ", "Rg.Nr. ", "RE ", "Re-Nr. ", "Rechnungsnr.: ", "Zahlung Rg. ", "", "R-NR "),
    "fr": ("Facture ", "FACT. ", "Reglement facture ", "Fact no ", "", "Votre facture "),
    "es": ("Factura ", "Fra. ", "Pago factura ", "", "FACT "),
    "en": ("Invoice ", "Inv ", "INV. ", "Payment for ", "Inv no ", "", "Your invoice ", "Ref ", "/INV/"),
}
# ... or a line without any
PLAIN = {
    "de": ("Zahlung", "Danke", "Ueberweisung", "lt. Vereinbarung", "offene Posten", "Ausgleich", "Warenlieferung", ""),
    "fr": ("Reglement", "Virement", "Solde", "Merci", ""),
    "es": ("Pago", "Transferencia", "Liquidacion", ""),
    "en": ("Payment", "Thank you", "Settlement", "Balance", "Goods", "Transfer", ""),
}
MONTHS = {
    "de": "Januar Februar Maerz April Mai Juni Juli August September Oktober November Dezember".split(),
    "fr": "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
    "en": "January February March April May June July August September October November December".split(),
}
STATEMENT_OF = {"de": "Kontoauszug ", "fr": "Releve ", "es": "Extracto ", "en": "Statement "}
ON_ACCOUNT = {"de": "Akonto", "fr": "Acompte", "es": "A cuenta", "en": "On account"}
BACK = {"de": "RUECKLASTSCHRIFT ", "fr": "REJET ", "es": "DEVOLUCION ", "en": "RETURN "}

# Behind the numbers: other numbers that are no invoice's, and small talk. {} = a number
TAILS = ("", "", "", "", " Kd-Nr {}", " cust {}", " vom 15.03.", " / {}", " PO {}", " Tel 0{}", " Vielen Dank")
CUTS = ("", " abzgl. Skonto", " less discount", " ./. 2%", " net of disc.")
CLAIMS = (" less damaged goods", " abzgl. Maengel", " minus claim {}", " Kuerzung lt. Gutschrift", " short delivery")

# Lines that pay no invoice: who, what, and whether money goes (-) or comes (+)
STRANGERS = (
    ("Finanzamt", "UMSATZSTEUER {}", -1),
    ("Finanzamt", "Erstattung Steuernr {}", 1),
    ("", "ENTGELTABSCHLUSS {}", -1),
    ("", "Habenzinsen", 1),
    ("Stadtwerke", "Abschlag Vertrag {}", -1),
    ("Payroll", "Wages {}", -1),
    ("Card Services", "Settlement batch {}", 1),
    ("Terminal Acquirer", "CARD SALES {}", 1),
    ("Insurance Mutual", "Claim {} payout", 1),
    ("Landlord Estates", "Rent {}", -1),
    ("Own transfer", "Umbuchung {}", 1),
    ("Own transfer", "Umbuchung {}", -1),
    ("Leasing Partner", "Leasing {}", -1),
    ("Supplier Credit", "Rebate {}", 1),
)
