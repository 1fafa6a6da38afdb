"""Made invoices and bank lines, with the truth of which line settles what: slices, their names in the truth file."""

SLICES = (
    "exact",
    "missing reference",
    "typo",
    "combined",
    "partial",
    "over/short",
    "discount",
    "fee-netted",
    "FX",
    "credit-netted",
    "duplicate",
    "reversal",
    "unrelated",
)
"""What makes a bank line easy or hard; each line is of one slice."""

(
    EXACT,
    MISSING,
    TYPO,
    COMBINED,
    PARTIAL,
    OVER_SHORT,
    DISCOUNT,
    FEE,
    EXCHANGE,
    CREDIT,
    DUPLICATE,
    REVERSAL,
    UNRELATED,
) = range(13)

RESIDUALS = (
    "",
    "bank_fee",
    "discount",
    "discount_late",
    "tax_withheld",
    "rounding",
    "fx",
    "short",
    "deduction",
    "write_off",
    "overpayment",
    "prepayment",
    "duplicate",
    "reversal",
)
"""Why receipt and amount applied differ; the first: they do not."""
