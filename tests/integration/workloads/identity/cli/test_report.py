from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.errors import ConfigError
from core.made_records.persons.population import plan_population
from core.workloads.identity.made_persons.files import write_persons

VOID = {"meta", "line", "rect", "br"}


class Page(HTMLParser):
    """Checks nesting and collects tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += f" {data}"


def headrace(*words: str) -> str:
    done = CliRunner().invoke(build(), list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    source, out = folder / "persons.csv", folder / "out.parquet"
    write_persons(plan_population(3_000, 5, 0.3), folder / "persons.parquet")
    # Markup in a value must arrive as text.
    frame = pl.read_parquet(folder / "persons.parquet").with_columns(city=pl.lit("<i>") + pl.col("city"))
    frame.write_csv(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_STATE_DIR", str(folder / "state"))
        headrace("match", str(source), "--out", str(out))
    return out


def test_page_needs_nothing_and_shows_no_values(result: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    headrace("report", str(result), "--out", str(path))
    text = path.read_text()
    page = Page(text)
    assert page.open == []
    assert path.stat().st_mode & 0o777 == 0o600
    assert not page.tags & {"script", "link", "img", "iframe", "object"}
    assert not page.attributes & {"src", "href", "onload", "onclick"}
    assert "http" not in text
    assert "url(" not in text
    for words in ("3,000 records are", "What was missed", "names_zip", "jaro_winkler", "Pairs near the threshold"):
        assert words in page.words
    people = pl.read_parquet(result.with_name("persons.parquet"))
    private = {
        *people["ssn"].drop_nulls(),
        *people["email"].drop_nulls(),
        *people["street"].drop_nulls(),
    }
    assert not [value for value in private if value in text]


def test_page_shows_values_of_near_pairs_only_when_asked(result: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    headrace("report", str(result), "--out", str(path), "--with-values")
    page = Page(path.read_text())
    assert "holds values of records" in page.words
    examples = path.read_text().split("Pairs near the threshold")[1]
    assert "<i>" in page.words
    assert "&lt;i&gt;" in examples
    assert "<i>" not in examples


def test_page_counts_what_the_run_counted(result: Path, tmp_path: Path) -> None:
    from core.linkage.results.report_facts import gather

    facts = gather(result, with_values=False)
    pairs = pl.read_parquet(result.with_name("out.pairs.parquet"))
    assert sum(review + match for _, review, match in facts.scores) == len(pairs)
    assert sum(match for _, _, match in facts.scores) == facts.summary["matches"]
    assert sum(each["pairs"] for each in facts.passes) == facts.summary["candidate_pairs"]
    people = pl.read_csv(result.with_name("persons.csv"), infer_schema=False)
    assert facts.completeness["state"] == pytest.approx(1 - people["state"].null_count() / len(people), abs=1e-6)
    assert len({tuple(each.levels.items()) for each in facts.examples}) == len(facts.examples) > 3


def test_page_of_no_run_is_refused_in_one_sentence(result: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give the `out` of a finished"):
        headrace("report", str(tmp_path / "none.parquet"), "--out", str(tmp_path / "page.html"))
    with pytest.raises(ConfigError, match="there is no folder"):
        headrace("report", str(result), "--out", str(tmp_path / "absent" / "page.html"))


def test_page_is_not_written_over_a_folder(result: Path, tmp_path: Path) -> None:
    found = CliRunner().invoke(build(), ["report", str(result), "--out", str(tmp_path)])
    assert isinstance(found.exception, ConfigError)
    assert "cannot be written" in str(found.exception)
