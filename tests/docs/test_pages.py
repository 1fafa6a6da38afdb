"""Every how-to page is followed, command by command, or stands in a list with the reason why it is not."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from core.linkage.history.base_run import DECISION_SCHEMA, LOG_SCHEMA
from core.linkage.run_record import read_table
from tests.architecture.tree import ROOT
from tests.docs.followed import Reader, files_spoken_of, page_text, steps, written_by

VIA_PREFECT = "--via prefect"
ALONE = [
    "docs/how-to/ask-for-a-pipeline.md",
    "docs/how-to/match-your-csv.md",
    "docs/how-to/match-other-files.md",
    "docs/how-to/give-back.md",
    "docs/how-to/from-python.md",
    "docs/how-to/install.md",
    "docs/how-to/keep-a-model.md",
    "docs/how-to/make-an-inventory.md",
    "docs/how-to/read-a-report.md",
    "docs/how-to/write-a-match-spec.md",
]
# tests/docs/test_pages_with_a_server.py
WITH_A_SERVER = [
    "docs/how-to/carry-over-row-sql.md",
    "docs/how-to/keep-an-inventory.md",
    "docs/how-to/look-up-a-record.md",
    "docs/how-to/match-a-table.md",
    "docs/how-to/run-a-handler.md",
]
# Followed to the first run of Prefect's here, and there to the end by `make test-long`.
BEGUN_ALONE = [
    "README.md#Your own file",
    "docs/how-to/match-increments.md",
    "docs/how-to/reconcile-your-bank-file.md",
]
NOT_FOLLOWED = {
    "docs/how-to/kubernetes.md": "needs a cluster; tests/k8s/test_runbook.py holds its commands to the manifests",
    "docs/how-to/review-pairs.md": "people type passwords and press keys; tests/web and tests/browser/workbench do it",
    "docs/how-to/run-the-local-stack.md": "starts a stack for minutes; tests/integration/stack does that",
    "docs/how-to/scale-consumers.md": "its commands run until they are ended; tests/integration/scaling does that",
    "docs/how-to/share-a-job.md": "needs a bucket and several machines; tests/integration/storage has such a store",
    "docs/how-to/watch-a-system.md": "its check ends by how busy the machine is; tests/integration/cli judges a queue",
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    home = tmp_path_factory.mktemp("pages")
    return Reader(home, {"HEADRACE_STATE_DIR": str(home / "state")})


@pytest.mark.parametrize("page", ALONE)
def test_page_can_be_followed(reader: Reader, page: str) -> None:
    reader.follow(page)


@pytest.mark.parametrize("page", BEGUN_ALONE)
def test_page_can_be_followed_to_the_first_run_of_prefect(reader: Reader, page: str) -> None:
    reader.follow(page, up_to=VIA_PREFECT)


def columns_told(heading: str) -> set[str]:
    """The columns of a table of the page of outputs; those of fields have their names after one another."""
    section = page_text(f"docs/reference/outputs.md#{heading}")
    cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def without_fields(columns: list[str], fields: list[str]) -> set[str]:
    """The same, with `<field>` where a field is meant."""
    pattern = re.compile(rf"^(?:{'|'.join(fields)})(?=$|__id$| [ab]$)")
    return {pattern.sub("<field>", name) for name in columns}


def test_every_column_that_is_written_is_explained_and_no_other(reader: Reader) -> None:
    given, matched = reader.follow("docs/how-to/give-back.md"), reader.follow("docs/how-to/match-your-csv.md")
    fields = pl.read_csv(given / "people.csv", infer_schema=False).drop("id", "entity_id").columns
    assert columns_told("OUT") == set(pl.read_parquet(matched / "answers.parquet").columns)
    assert columns_told("OUT.answers") == set(pl.read_parquet(matched / "answers.answers.parquet").columns)
    assert columns_told("OUT.pairs") == set(pl.read_parquet(matched / "linked.pairs.parquet").columns)
    scored = columns_told("OUT of given pairs") - {"source_a", "source_b"}
    assert scored == set(pl.read_parquet(given / "scored.parquet").columns)
    golden = read_table(given / "best.xlsx").columns
    assert columns_told("Golden records") == without_fields(golden, fields)
    review = read_table(given / "review.xlsx").columns
    assert columns_told("The review sheet") - {"source_a", "source_b"} == without_fields(review, fields)
    assert columns_told("OUT.changes") == set(LOG_SCHEMA)
    assert columns_told("OUT.decisions") == set(DECISION_SCHEMA)
    assert columns_told("OUT.bad.csv") == set(pl.read_csv(matched / "clean.bad.csv").columns)


def test_every_page_is_followed_or_says_why_not() -> None:
    pages = {str(path.relative_to(ROOT)) for path in (ROOT / "docs/how-to").glob("*.md")}
    known = {page for page in [*ALONE, *BEGUN_ALONE, *WITH_A_SERVER, *NOT_FOLLOWED] if not page.startswith("README")}
    assert pages == known, f"follow these pages, or say why not: {sorted(pages ^ known)}"


def test_reader_stops_at_a_line_that_does_not_work(tmp_path: Path) -> None:
    reader = Reader(tmp_path, {})
    with pytest.raises(AssertionError, match="ended with 2"):
        reader._do("page", next(steps("```sh\nheadrace match none.csv --out out.parquet\n```\n")), tmp_path, "")
    with pytest.raises(AssertionError, match="ended with 1"):
        reader._do("page", next(steps("```sh\nfalse\n```\n")), tmp_path, "")


def test_steps_are_lines_and_files_in_their_order() -> None:
    text = "Put into `jobs/one.py`:\n\n```python\nx = 1\n```\n\n```sh\nls \\\n  -l\n\necho a\n```\n\n```text\nno\n```\n"
    assert [(step.file, step.line) for step in steps(text)] == [
        ("jobs/one.py", "x = 1\n"),
        (None, "ls    -l"),
        (None, "echo a"),
    ]


def test_files_of_an_output_are_known_by_its_name() -> None:
    text = "`june.changes.parquet` beside `other.csv`\n\n```sh\nheadrace match june.csv --out june.parquet\n```\n"
    assert files_spoken_of(text) == {"june.changes.parquet"}
    assert written_by("headrace match a.csv --out b.parquet --entities best.csv") == ["b.parquet", "best.csv"]
