"""What a match will do is said before it is done; a missing name is a question at a terminal, a refusal in a script."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import headrace

HEADER = "id,Vorname,Name,Geburtstag,Telefon,PLZ,Strasse"
ROWS = [f"{n},Anna,Berg{n},19{n + 10}-01-{n + 10},030 5550{n + 100},101{n},Am Hang {n}" for n in range(12)]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return path


def test_plan_says_columns_fields_and_passes_and_does_nothing(people: Path, tmp_path: Path) -> None:
    env = {"HEADRACE_STATE_DIR": str(tmp_path / "state")}
    done = headrace("match", people, "--id", "id", "--out", tmp_path / "out.csv", "--plan", env=env)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("people.csv: 12 rows; CSV; delimiter comma")
    assert "  last_name   Name" in lines
    assert "not compared, no column: ssn, city, state, email" in lines
    assert max(map(len, lines)) <= 80
    assert not (tmp_path / "out.csv").exists()
    left = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert left == []


def test_plan_as_json_names_what_is_dropped(people: Path, tmp_path: Path) -> None:
    env = {"HEADRACE_STATE_DIR": str(tmp_path / "state")}
    said = json.loads(headrace("match", people, "--id", "id", "--plan", "--json", env=env).stdout)
    assert said["sources"][0]["fields"]["dob"] == ["Geburtstag"]
    assert "ssn" in said["dropped_passes"]
    assert "born_zip" in said["passes"]


def test_a_script_is_refused_where_a_name_is_missing(people: Path, tmp_path: Path) -> None:
    env = {"HEADRACE_STATE_DIR": str(tmp_path / "state")}
    words = ["match", people, "--id", "id", "--map", "first_name=Vorname"]
    people.write_text(people.read_text().replace(",Name,", ",Zeile,"))
    refused = headrace(*words, "--plan", env=env)
    assert refused.returncode == 2
    assert "no column is known as last_name" in refused.stderr
    assert "go on with --yes" in refused.stderr
    assert headrace(*words, "--plan", "--yes", env=env).returncode == 0
    assert headrace(*words, "--map", "last_name=", "--plan", env=env).returncode == 0


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2)])
def test_a_person_at_a_terminal_is_asked(people: Path, tmp_path: Path, answer: str, code: int) -> None:
    people.write_text(people.read_text().replace(",Name,", ",Zeile,"))
    ours, theirs = pty.openpty()
    words = [sys.executable, "-P", "-m", "core.cli", "match", str(people), "--id", "id", "--plan"]
    env = os.environ | {"HEADRACE_STATE_DIR": str(tmp_path / "state")}
    with subprocess.Popen(words, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, env=env) as asked:
        os.write(ours, f"{answer}\n".encode())
        out, _ = asked.communicate(timeout=120)
    os.close(theirs)
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "Match without? [y/N]" in said
    assert asked.returncode == code
    assert (b"people.csv: 12 rows" in out) == (code == 0)
