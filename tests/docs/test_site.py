"""What the site of the docs makes of the code and of the index, without the tool that shows it."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from core.cli.app import build
from tests.architecture.tree import ROOT


@pytest.fixture(scope="module")
def site() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs/site/stage.py"))


@pytest.fixture(scope="module")
def pages(site: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "pages"
    site["stage"](folder)
    return folder


def test_every_page_stands_in_a_section_of_the_front_page(pages: Path) -> None:
    listed = {f"{name}.md" for name in re.findall(r"^([\w./-]+)$", (pages / "index.md").read_text(), re.MULTILINE)}
    there = {str(page.relative_to(pages)) for page in pages.rglob("*.md")} - {"index.md"}
    assert there <= listed, f"docs/README.md lists no {sorted(there - listed)}"


def test_commands_page_has_every_command_and_option(site: dict[str, Any], pages: Path) -> None:
    sections = dict(re.findall(r"^## (headrace .+)\n((?:(?!^## ).*\n)*)", _text(pages, "commands"), re.MULTILINE))
    found = dict(site["commands"](get_command(build()), "headrace"))
    assert sections.keys() == found.keys()
    for path, command in found.items():
        options = {name for param in command.params for name in param.opts if name.startswith("-")} - {"--help"}
        assert options <= set(re.findall(r"`(-[\w-]+)`", sections[path])), path


def test_notebook_is_a_page_and_links_lead_to_it(pages: Path) -> None:
    assert "```python\n" in (pages / "docs/tutorials/match-in-a-notebook.md").read_text()
    assert not list(pages.rglob("*.ipynb"))
    assert "(tutorials/match-in-a-notebook.md)" in (pages / "docs/README.md").read_text()


def test_python_page_names_all_that_the_package_gives(pages: Path) -> None:
    import headrace

    named = set(re.findall(r"headrace\.(\w+)", _text(pages, "python")))
    assert named == set(headrace.__all__)


def test_help_becomes_prose_and_commands(site: dict[str, Any]) -> None:
    assert site["_prose"]("Do *it*.\n\n[bold]Examples[/bold]\n\n  headrace a\n\n  headrace b\n") == (
        "Do \\*it*.\n\nExamples\n\n```sh\nheadrace a\nheadrace b\n```\n"
    )


def _text(pages: Path, name: str) -> str:
    return (pages / f"docs/reference/{name}.md").read_text(encoding="utf-8")
