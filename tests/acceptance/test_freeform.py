"""Persons in one column of names, with the titles, gaps and slips of registers, from file to entities."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import polars as pl

from tests.acceptance.conftest import Headrace

SYLLABLES = ("al", "ber", "cor", "dan", "el", "far", "gil", "hol", "in", "jar", "kel", "lor", "mar", "nor", "os", "pen")
GIVEN = ("William", "John", "Thomas", "Mary", "Elizabeth", "Henry", "Frances", "Margaret", "George", "Alice", "Hugh")
TITLES = ("Sir {}", "{}, 2nd Baronet", "Rev. {}", "{} (painter)", "Dr. {}", "{} Esq.")
TRADES = ("painter", "cricketer", "engraver", "priest", "politician", "poet")
N_PERSONS = 1_500


def _word(draw: random.Random) -> str:
    return "".join(draw.sample(SYLLABLES, 2)).title()


def _slip(draw: random.Random, text: str, letters: str) -> str:
    at = draw.randrange(len(text))
    return text[:at] + draw.choice(letters) + text[at + 1 :]


def _mention(draw: random.Random, person: dict[str, Any]) -> dict[str, Any]:
    """One mention: the name in some form, and what else the register happens to know."""
    given, middle, surname = person["names"]
    name = draw.choice((f"{given} {surname}", f"{given} {middle} {surname}", f"{surname}, {given}"))
    name = draw.choice(TITLES).format(name) if draw.random() < 0.2 and "," not in name else name
    name = _slip(draw, name, "abcdefgh") if draw.random() < 0.1 else name
    born = _slip(draw, person["born"], "0123456789") if draw.random() < 0.1 else person["born"]
    return {
        "person": person["person"],
        "Full name": name,
        "born": born if draw.random() < 0.85 else None,
        "birthplace": person["place"] if draw.random() < 0.85 else None,
        "postcode": person["code"] if draw.random() < 0.85 else None,
        "occupation": person["trade"] if draw.random() < 0.6 else None,
    }


def _register(path: Path) -> Path:
    """Three mentions of each person on average; every tenth birth date has a slip, often to a day that never was."""
    draw = random.Random(11)
    places = [_word(draw) + "ham" for _ in range(150)]
    rows = []
    for number in range(N_PERSONS):
        person = {
            "person": number,
            "names": (draw.choice(GIVEN), draw.choice(GIVEN), _word(draw) + draw.choice(("", "son", "ley", "ton"))),
            "born": f"{draw.randint(1750, 1880)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
            "place": draw.choice(places),
            "code": f"{draw.choice('BLNSW')}{draw.randint(1, 99)} {draw.randint(1, 9)}{draw.choice('ABDEF')}L",
            "trade": draw.choice(TRADES),
        }
        rows += [_mention(draw, person) for _ in range(draw.randint(1, 5))]
    draw.shuffle(rows)
    pl.DataFrame(rows).with_row_index("no").write_csv(path)
    return path


def test_freeform_persons_are_found_in_a_register(headrace: Headrace, tmp_path: Path) -> None:
    file, out = _register(tmp_path / "register.csv"), tmp_path / "out.parquet"
    done = headrace("match", file, "--spec", "persons_freeform", "--id", "no", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "dates do not exist; their digits are compared" in " ".join(done.stderr.split())
    measured = json.loads(
        headrace("evaluate", out, "--truth", file, "--id", "no", "--entity", "person", "--json").stdout
    )
    assert measured["pairwise"]["f1"] >= 0.96
    assert measured["b_cubed"]["f1"] >= 0.97

    two = pl.read_parquet(out).group_by("entity_id").agg("id").filter(pl.col("id").list.len() > 1)["id"][0]
    told = headrace("explain", str(two[0]), str(two[1]), "--out", out)
    assert told.returncode == 0, told.stderr
    assert "surname" in told.stdout
