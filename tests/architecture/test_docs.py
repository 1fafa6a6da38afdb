"""The docs tell the truth: links lead somewhere, and every command, option and setting they name exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from core.cli.app import build
from core.metrics.catalog import render_reference as metrics_reference
from core.settings import render_reference, valid_names
from core.workloads import catalog_of, workloads
from tests.architecture.tree import ROOT, files, texts

PAGES = dict(texts(".md"))
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:)([^)\s]+)\)")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:headrace|make|python -m) [^`]+)`")
SETTING = re.compile(r"\bHEADRACE_[A-Z][A-Z0-9_]*[A-Z0-9]\b")
# A dotted name, or a path as far as it is spelt out, of the product's own code.
NAMED = re.compile(
    r"(?<![\w./-])(?:core|flows|blocks)(?:(?:\.[a-z_]\w*)+|(?:/[\w.]+)+(?=/?[^\w./<*$-]|/?$|/?[<*]))", re.MULTILINE
)
# Told of before it is there.
OF_THEIR_DAY = {("docs", "decisions"), ("tests", "contract")}
UNBORN = {"core/workloads/invoices"}
# Beside the pages, what else speaks of modules and files in strings.
NAMING = [
    path
    for path in files()
    if path in {Path(name) for name in ("Makefile", "Dockerfile", "pyproject.toml", "prefect.yaml", ".ci/run")}
    or (path.parts[0] in {"k8s", "docker"} and path.suffix in {".yaml", ".yml", ".env", ".sh", ".py", ".json", ".md"})
    # What a released migration says is not edited.
    or (path.parts[0] == "sql" and path.suffix == ".sql" and path.parts[1] != "migrations")
    or (path in PAGES and path != Path("CHANGELOG.md") and path.parts[:2] not in OF_THEIR_DAY)
]
# Shell words end the command that the CLI sees.
SHELL_END = {"|", ">", "&&", "||", "&", ";", "#", "2>&1", "\\"}


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_resolve(page: Path) -> None:
    dead = []
    for target in LINK.findall(FENCE.sub("", PAGES[page])):
        name, _, anchor = target.partition("#")
        path = (ROOT / page.parent / name).resolve() if name else ROOT / page
        headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE) if anchor and path.suffix == ".md" else []
        if not path.exists() or (anchor and anchor not in map(slug, headings)):
            dead.append(target)
    assert not dead, f"{page} links to nothing: {dead}"


def test_pages_are_reachable() -> None:
    linked = {
        (ROOT / page.parent / target.partition("#")[0]).resolve()
        for page, text in PAGES.items()
        for target in LINK.findall(text)
    }
    lost = [str(page) for page in PAGES if page.parts[0] == "docs" and (ROOT / page) not in linked]
    assert not lost, f"no page links to {lost}: add them to docs/README.md"


def commands(text: str) -> Iterator[str]:
    """Commands a page tells the reader to type: lines of shell blocks and inline code."""
    for language, block in FENCE.findall(text):
        if language in {"sh", "console", "bash"}:
            joined = block.replace("\\\n", " ")
            yield from (line.strip().removeprefix("$ ") for line in joined.splitlines())
    yield from INLINE.findall(FENCE.sub("", text))


def spoken(program: str) -> list[tuple[str, str]]:
    """(page, command) for each command of a program that the docs show."""
    return sorted(
        {
            (str(page), command.removeprefix(".venv/bin/"))
            for page, text in PAGES.items()
            for command in commands(text)
            if command.removeprefix(".venv/bin/").startswith(f"{program} ")
        }
    )


@cache
def cli() -> Any:
    """The command tree; it costs a tenth of a second."""
    return get_command(build())


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*path, name))


@pytest.mark.parametrize(("page", "command"), spoken("headrace"))
def test_documented_command_exists(page: str, command: str) -> None:
    # `a|b|c` stands for one of several subcommands; the pages write it so in prose.
    for choice in alternatives(command):
        refusal = refused(choice)
        assert refusal is None, f"{page}: `{command}`: {refusal}"


def alternatives(command: str) -> list[str]:
    head, *rest = re.split(r"(?<=[a-z])\|(?=[a-z])", command)
    prefix = head.rsplit(" ", 1)[0]
    return [head, *(f"{prefix} {other}" for other in rest)]


def refused(command: str) -> str | None:
    """Why the command line could not be used as written, or None."""
    words = shlex.split(command, comments=True)[1:]
    node, path = cli(), ["headrace"]
    for index, word in enumerate(words):
        children = getattr(node, "commands", {})
        if word in SHELL_END:
            return None
        if word.startswith("-") and len(word) > 1:
            known = {name for option in node.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
            if word.split("=")[0] not in known:
                return f"`{' '.join(path)}` has no option {word}; it has {sorted(known)}"
        elif children:
            # A group that does something by itself has options with values of its own.
            if index and words[index - 1].startswith("-") and getattr(node, "invoke_without_command", False):
                continue
            if word not in children:
                return f"`{' '.join(path)}` has no command {word}; it has {sorted(children)}"
            node, path = children[word], words[: index + 1]
    return None


@pytest.mark.parametrize(
    ("command", "fine"),
    [("headrace --help", True), ("headrace no-such", False), ("headrace match --no-such x", False)],
)
def test_refused_tells_real_commands_from_invented_ones(command: str, fine: bool) -> None:
    assert (refused(command) is None) == fine


@pytest.mark.parametrize(("page", "command"), spoken("make"))
def test_documented_target_exists(page: str, command: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wanted = [word for word in shlex.split(command, comments=True)[1:] if "=" not in word]
    assert set(wanted) <= targets, f"{page}: `{command}`: the Makefile has {sorted(targets)}"


def test_documented_modules_exist() -> None:
    missing = []
    for page, command in spoken("python -m"):
        path = Path(*command.split()[2].split("."))
        ours = path.parts[0] in {"headrace", "core", "flows", "blocks"}
        if ours and not {path.with_suffix(".py"), path / "__main__.py"} & set(files()):
            missing.append(f"{page}: `{command}`")
    assert not missing, f"no such module: {missing}"


@pytest.mark.parametrize("path", [" ".join(path) for path, _ in walk(cli())])
def test_every_command_explains_itself(path: str) -> None:
    node = dict(walk(cli()))[tuple(path.split())]
    assert node.help, f"`headrace {path}` has no help text"
    bare = [param.name for param in node.params if not (getattr(param, "help", None) or param.name == "help")]
    assert not bare, f"`headrace {path}`: parameters without a word of help: {bare}"


def test_folders_in_tables_exist() -> None:
    folders = {str(parent) for path in files() for parent in path.parents}
    rows = [
        (page, row) for page, text in PAGES.items() for row in re.findall(r"^\| `([\w./]+?)/?` \|", text, re.MULTILINE)
    ]
    lost = [f"{page}: {row}" for page, row in rows if "/" in row and row not in folders and not (ROOT / row).is_file()]
    assert not lost, f"tables name folders that do not exist: {lost}"


def first_cells(page: str) -> set[str]:
    """What stands in backticks at the beginning of a table's row, without the slash behind a folder."""
    return set(re.findall(r"^\| `([\w./]+?)/?` \|", PAGES[Path(page)], re.MULTILINE))


def folders_in(*tops: str) -> set[str]:
    """Folders right below the given ones."""
    return {str(parent) for path in files() for parent in path.parents if str(parent.parent) in tops}


def test_readme_says_what_each_folder_holds() -> None:
    unsaid = folders_in("headrace", "core", "flows", "core/workloads") - first_cells("README.md")
    assert not unsaid, f"README.md, *Where things are*: say in one line what these hold: {sorted(unsaid)}"


def test_contributing_says_what_each_folder_of_tests_proves() -> None:
    unsaid = folders_in("tests") - first_cells("CONTRIBUTING.md")
    assert not unsaid, f"CONTRIBUTING.md, *Tests*: say in one line what these prove: {sorted(unsaid)}"


@pytest.mark.parametrize("page", NAMING, ids=str)
def test_modules_and_files_named_exist(page: Path) -> None:
    """Decisions and the changelog tell of their day, and keep its names."""
    lost = [name for name in named_in((ROOT / page).read_text(encoding="utf-8")) if not there_is(name)]
    assert not lost, f"{page} names what is not there: {lost}"


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("see `core/queue/door.py`", ["core/queue/door.py"]),
        ("see `core/queue/leases/claim.py`, core.queue.leases.claim.claim", []),
        ("python -m core.linkage.warmth", ["core.linkage.warmth"]),
        ("entrypoint: flows.maintain.maintain", ["flows.maintain.maintain"]),
        ("core.queue.no_such_name", ["core.queue.no_such_name"]),
        ("`core/workloads/<name>/` and core/matching/*.py", []),
    ],
)
def test_there_is_tells_what_is_from_what_was(text: str, lost: list[str]) -> None:
    assert [name for name in named_in(text) if not there_is(name)] == lost


def named_in(text: str) -> list[str]:
    """Dotted names and paths below the folders of code; a path ends before what stands for something else."""
    return sorted({match[0].rstrip("./") for match in NAMED.finditer(text)} - UNBORN)


def there_is(name: str) -> bool:
    """A file, a folder, a module, or what a module holds."""
    if "/" in name:
        return (ROOT / name).exists()
    parts = name.split(".")
    for length in range(len(parts), 1, -1):
        path = Path(*parts[:length])
        found = {path.with_suffix(".py"), path / "__init__.py"} & set(files())
        if found:
            held = {word for path in found for word in re.findall(r"\w+", (ROOT / path).read_text(encoding="utf-8"))}
            return set(parts[length:]) <= held
    return False


def test_settings_named_exist() -> None:
    wrong = {
        name: str(page)
        for page, text in PAGES.items()
        for name in SETTING.findall(text)
        if name not in valid_names(name)
    }
    assert not wrong, f"no such setting: {wrong}"


def test_settings_reference_is_fresh() -> None:
    page = ROOT / "docs/reference/settings.md"
    assert page.read_text(encoding="utf-8") == render_reference(), (
        "run: python -m core.settings > docs/reference/settings.md"
    )


def test_metrics_reference_is_fresh() -> None:
    page = ROOT / "docs/reference/metrics.md"
    assert page.read_text(encoding="utf-8") == metrics_reference(catalog_of(workloads())), (
        "run: python -m core.workloads metrics > docs/reference/metrics.md"
    )


def test_changelog_has_unreleased() -> None:
    after = PAGES[Path("CHANGELOG.md")].partition("## [Unreleased]")[2].partition("\n## ")[0]
    assert re.search(r"^- \S", after, re.MULTILINE), "CHANGELOG.md: a change is a line a user understands"


def test_decisions_are_numbered() -> None:
    names = sorted(page.name for page in PAGES if page.parent == Path("docs/decisions") and page.name != "README.md")
    assert names, "docs/decisions/ is empty"
    odd = [name for name in names if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name)]
    numbers = [name[:4] for name in names]
    assert not odd, f"decisions are called NNNN-title.md: {odd}"
    assert len(numbers) == len(set(numbers)), f"each number once: {names}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "k8s/README.md", "LICENSE"])
def test_page_exists(name: str) -> None:
    assert (ROOT / name).is_file()
