"""Names of the months in the languages whose column names are known: one table, full names and common short forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final
from unicodedata import combining, normalize

# Per language, January to December. Accents and capitals are folded, so `févr.`, `FEVR` and `fevr` are one.
MONTHS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "English": (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sept sep", "october oct", "november nov", "december dec",
        ),
        "German": (
            "januar jänner jan jän jaenner", "februar feber feb", "märz maerz mrz mär", "april apr", "mai",
            "juni jun juno", "juli jul julei", "august aug", "september sept sep", "oktober okt", "november nov",
            "dezember dez",
        ),
        "French": (
            "janvier janv jan", "février févr fév", "mars mar", "avril avr", "mai", "juin", "juillet juil juill jul",
            "août aou", "septembre sept sep", "octobre oct", "novembre nov", "décembre déc",
        ),
        "Spanish": (
            "enero ene", "febrero feb", "marzo mar mzo", "abril abr", "mayo may", "junio jun", "julio jul",
            "agosto ago agto", "septiembre setiembre sept sep set", "octubre oct", "noviembre nov", "diciembre dic",
        ),
        "Portuguese": (
            "janeiro jan", "fevereiro fev", "março mar", "abril abr", "maio mai", "junho jun", "julho jul",
            "agosto ago", "setembro set", "outubro out", "novembro nov", "dezembro dez",
        ),
        "Italian": (
            "gennaio gen genn", "febbraio feb febbr", "marzo mar", "aprile apr", "maggio mag magg", "giugno giu",
            "luglio lug", "agosto ago", "settembre sett set", "ottobre ott", "novembre nov", "dicembre dic",
        ),
        "Dutch": (
            "januari jan", "februari feb febr", "maart mrt", "april apr", "mei", "juni jun", "juli jul",
            "augustus aug", "september sept sep", "oktober okt", "november nov", "december dec",
        ),
        "Polish": (
            "styczeń stycznia sty stycz", "luty lutego lut", "marzec marca mar", "kwiecień kwietnia kwi kwiec",
            "maj maja", "czerwiec czerwca cze czerw", "lipiec lipca lip", "sierpień sierpnia sie sierp",
            "wrzesień września wrz wrzes", "październik października paź pazdz", "listopad listopada lis list",
            "grudzień grudnia gru grudz",
        ),
    }
)  # fmt: skip
# What may stand before a date and says nothing: days of the week, with their short forms of two letters or more.
WEEKDAYS: Final = (
    "monday mon tuesday tue tues wednesday wed thursday thu thur thurs friday fri saturday sat sunday sun",
    "montag mo dienstag di mittwoch mi donnerstag do freitag fr samstag sonnabend sa sonntag so",
    "lundi lun mardi mercredi mer jeudi jeu vendredi ven samedi sam dimanche dim",
    "lunes martes miércoles mié jueves jue viernes vie sábado sáb domingo dom",
    "segunda terça ter quarta qua quinta qui sexta sex feira",
    "lunedì martedì mercoledì giovedì gio venerdì sabato domenica",
    "maandag ma dinsdag woensdag wo donderdag vrijdag vr zaterdag za zondag zo",
    "poniedziałek pon wtorek wt środa śr czwartek czw piątek pt sobota sob niedziela niedz",
)  # fmt: skip


def _folded(word: str) -> str:
    plain = "".join(letter for letter in normalize("NFKD", word.lower()) if not combining(letter))
    return plain.replace("ł", "l")


def _spread(forms: Iterable[str]) -> list[str]:
    return [_folded(word) for each in forms for word in each.split()]


_NUMBERS: Final = {
    word: number for names in MONTHS.values() for number, each in enumerate(names, 1) for word in _spread([each])
}
_DAYS: Final = frozenset(_spread(WEEKDAYS))


def month_number(word: str) -> int | None:
    """1 to 12 for the name of a month; None for any other word: no name is guessed by how it begins."""
    return _NUMBERS.get(_folded(word))


def is_weekday(word: str) -> bool:
    """Whether it is the name of a day of the week."""
    return _folded(word) in _DAYS
