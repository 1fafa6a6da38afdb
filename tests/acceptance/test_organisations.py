"""Organisations as suppliers' lists hold them: legal forms, acronyms, branches with numbers, shared addresses."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import polars as pl

from tests.acceptance.conftest import Headrace

SYLLABLES = ("tor", "mek", "ind", "glo", "nor", "sol", "var", "tek", "lum", "ost", "pra", "vel", "hal", "ber", "kri")
TRADES = ("Foods", "Steel", "Logistics", "Trading", "Software", "Textiles", "Motors", "Energy", "Paper", "Chemicals")
FORMS = (
    ("Ltd", "Limited", "LTD."),
    ("GmbH", "G.m.b.H."),
    ("Inc", "Incorporated", "Inc."),
    ("S.A.", "SA"),
    ("LLC", "L.L.C."),
)
N_FIRMS, N_CHAINS, N_BRANCHES = 1_500, 40, 12


def _word(draw: random.Random) -> str:
    return "".join(draw.sample(SYLLABLES, draw.choice((2, 2, 3)))).title()


def _firm(draw: random.Random, places: list[tuple[str, str, str]]) -> dict[str, Any]:
    """A firm; one in four sits in a business centre, whose address and switchboard others have too."""
    head = _word(draw)
    words = [head, draw.choice(TRADES)] if draw.random() < 0.8 else [head, _word(draw), draw.choice(TRADES)]
    street, city, code = draw.choice(places)
    if draw.random() < 0.75:
        street = f"{draw.randint(1, 300)} {_word(draw)} street"
    return {
        "words": words,
        "form": draw.choice(FORMS),
        "number": "",
        "vat": f"DE{draw.randint(10**8, 10**9 - 1)}",
        "phone": f"+49 {draw.randint(10, 99)} {draw.randint(10**6, 10**7 - 1)}",
        "street": street,
        "city": city,
        "zip": code,
        "site": f"https://www.{head.lower()}.example",
    }


def _firms(draw: random.Random) -> list[dict[str, Any]]:
    places = [
        (f"{draw.randint(1, 300)} {_word(draw)} road", _word(draw), str(draw.randint(10_000, 99_999)))
        for _ in range(200)
    ]
    firms = [_firm(draw, places) for _ in range(N_FIRMS)]
    for _ in range(N_CHAINS):
        chain = _firm(draw, places)
        for number in draw.sample(range(1, 100), N_BRANCHES):
            own = {
                key: value for key, value in _firm(draw, places).items() if key in {"phone", "street", "city", "zip"}
            }
            firms.append({**chain, **own, "number": f" Shop {number}"})
    return firms


def _mention(draw: random.Random, entity: int, firm: dict[str, Any]) -> dict[str, Any]:
    words = list(firm["words"])
    if draw.random() < 0.1 and len(words) > 2:
        words = ["".join(word[0] for word in words)]
    elif draw.random() < 0.1:
        words.reverse()
    if draw.random() < 0.12:
        at = draw.randrange(len(words[0]))
        words[0] = words[0][:at] + draw.choice("aeiou") + words[0][at + 1 :]
    form = draw.choice((*firm["form"], "")) if draw.random() < 0.6 else firm["form"][0]
    street = firm["street"].replace("street", "St.").replace("road", "Rd") if draw.random() < 0.4 else firm["street"]
    known = {"vat": 0.5, "phone": 0.6, "site": 0.5, "street": 0.9, "city": 0.95, "zip": 0.9}
    row = {**firm, "street": street}
    kept = {name: row[name] if draw.random() < share else None for name, share in known.items()}
    renamed = {"vat_id": kept.pop("vat"), "website": kept.pop("site"), **kept}
    return {"entity": entity, "Company name": f"{' '.join(words)}{firm['number']} {form}".strip(), **renamed}


def _suppliers(path: Path) -> Path:
    draw = random.Random(23)
    rows = []
    for entity, firm in enumerate(_firms(draw)):
        rows += [_mention(draw, entity, firm) for _ in range(draw.choice((1, 1, 2, 3)))]
    draw.shuffle(rows)
    pl.DataFrame(rows, infer_schema_length=None).with_row_index("no").write_csv(path)
    return path


def test_organisations_are_found_and_branches_kept_apart(headrace: Headrace, tmp_path: Path) -> None:
    file, out = _suppliers(tmp_path / "suppliers.csv"), tmp_path / "out.parquet"
    done = headrace("match", file, "--spec", "organisations", "--id", "no", "--out", out)
    assert done.returncode == 0, done.stderr
    measured = json.loads(
        headrace("evaluate", out, "--truth", file, "--id", "no", "--entity", "entity", "--json").stdout
    )
    assert measured["pairwise"]["f1"] >= 0.95
    assert measured["pairwise"]["precision"] >= 0.97
