"""Field 86 of MT940: who paid and what for, as German banks divide it, with words between slashes, or as free text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_DIVIDED: Final = re.compile(r"[0-9]{3}\?", re.ASCII)
_SUBFIELD: Final = re.compile(r"\?([0-9]{2})", re.ASCII)
# Stands where one subfield ended and the next began.
_SEAM: Final = "\x1f"
_KEYWORD: Final = re.compile(
    r"(?:^|[ \x1f])(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|PURP|IBAN|BIC|SQTP)\+", re.ASCII
)
_SLASHED: Final = re.compile(
    r"/(EREF|REMI|NAME|IBAN|BIC|CNTP|ORDP|BENM|CSID|MARF|PREF|KREF|TRTP|ULTD|ULTC|PURP|RTRN|ACCW|TRCD)/", re.ASCII
)


@dataclass(slots=True)
class Details:
    """What the field tells; None where it does not."""

    text: str | None = None
    payer: str | None = None
    payer_account: str | None = None
    reference: str | None = None
    end_to_end: str | None = None


def details_of(field: str) -> Details:
    """Read the text of a field, its lines separated by line feeds."""
    joined = field.replace("\n", "")
    if _DIVIDED.match(joined):
        return _divided(joined)
    if _SLASHED.search(joined):
        return _slashed(joined)
    return Details(text=_or_none(field.replace("\n", " ")))


def _divided(joined: str) -> Details:
    """By numbered subfields: ?20-?29 and ?60-?63 what for, ?31 account, ?32 and ?33 name."""
    pieces = _SUBFIELD.split(joined)
    told: dict[str, str] = {}
    purpose = []
    for number, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if "20" <= number <= "29" or "60" <= number <= "63":
            purpose.append(piece)
        else:
            told[number] = told.get(number, "") + piece
    words = _by_keyword(_SEAM.join(purpose))
    return Details(
        text=_or_none(words.get("SVWZ", words.get("", ""))),
        payer=_or_none(told.get("32", "") + told.get("33", "")) or _or_none(words.get("ABWA", "")),
        payer_account=_or_none(told.get("31", "")) or _or_none(words.get("IBAN", "")),
        end_to_end=_or_none(words.get("EREF", "")),
    )


def _by_keyword(purpose: str) -> dict[str, str]:
    """What stands behind each keyword; "" what stands before the first."""
    pieces = _KEYWORD.split(purpose)
    found = {"": pieces[0].replace(_SEAM, "")}
    for word, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        found.setdefault(word, piece.replace(_SEAM, ""))
    return found


def _slashed(joined: str) -> Details:
    """/EREF/x/REMI/USTD//text/: words between slashes, as banks of other countries write."""
    pieces = _SLASHED.split(joined)
    told: dict[str, str] = {}
    for word, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        told.setdefault(word, piece.strip("/ "))
    remittance = told.get("REMI", "")
    structured = re.match(r"STRD/CUR/(.*)", remittance)
    # Account, bank, name and place, divided by slashes.
    party = told.get("CNTP", "").split("/")
    return Details(
        text=None if structured else _or_none(re.sub(r"^USTD/{1,2}", "", remittance)),
        payer=_or_none(told.get("NAME", "")) or _or_none(party[2] if len(party) > 2 else ""),
        payer_account=_or_none(told.get("IBAN", "")) or _or_none(party[0]),
        reference=_or_none(structured[1]) if structured else None,
        end_to_end=_or_none(told.get("EREF", "")),
    )


def _or_none(text: str) -> str | None:
    return text.strip() or None
