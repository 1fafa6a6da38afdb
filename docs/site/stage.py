"""Lay out the pages of the site: those in Markdown as they are, and those that are made from the code.

`python docs/site/stage.py build/docs-pages`; `make docs` does it.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "k8s/README.md"]
LINK = re.compile(r"(\[[^\]]*\]\()(?!https?://|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)")
SECTION = re.compile(r"^\*\*([^*]+)\*\*", re.MULTILINE)
REFERENCE = {"Commands": "docs/reference/commands.md", "Python": "docs/reference/python.md"}

PYTHON = """# Python

What `import headrace` gives. How to use it: [Match from Python](../how-to/from-python.md).

```{eval-rst}
.. autofunction:: headrace.match
.. autofunction:: headrace.made_persons
.. autoclass:: headrace.MatchResult
   :members:
.. autoclass:: headrace.Explained
   :members:
.. autoclass:: headrace.Page
   :members:
.. autoexception:: headrace.HeadraceError
```
"""


def stage(target: Path) -> None:
    """Write all pages, and what they link to, into a folder that is made anew."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "docs", target / "docs", ignore=shutil.ignore_patterns("site", "__pycache__"))
    for page in PROJECT:
        _copy(ROOT / page, target / page)
    for notebook in target.rglob("*.ipynb"):
        notebook.with_suffix(".md").write_text(notebook_text(notebook), encoding="utf-8")
        notebook.unlink()
    for page in sorted(target.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        for linked in linked_files(text, ROOT / page.relative_to(target)):
            _copy(linked, target / linked.relative_to(ROOT))
        page.write_text(shown(text), encoding="utf-8")
    (target / REFERENCE["Commands"]).write_text(commands_page(), encoding="utf-8")
    (target / REFERENCE["Python"]).write_text(PYTHON, encoding="utf-8")
    (target / "index.md").write_text(index_page(), encoding="utf-8")


def linked_files(text: str, page: Path) -> Iterator[Path]:
    """Files that are no pages, to which a page links."""
    for _, name, _ in LINK.findall(text):
        file = (page.parent / name).resolve()
        if file.is_file() and file.suffix not in {".md", ".ipynb"}:
            yield file


def shown(text: str) -> str:
    """A page as the site shows it: notebooks are pages there, and what has no colours there is plain text."""
    return re.sub(r"```(?:mermaid|csv)$", "```text", text.replace(".ipynb)", ".md)"), flags=re.MULTILINE)


def notebook_text(notebook: Path) -> str:
    """A notebook as a page: its text, and its cells as code."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts = [("".join(cell["source"]), cell["cell_type"]) for cell in cells]
    return "\n\n".join(f"```python\n{text}\n```" if kind == "code" else text for text, kind in parts) + "\n"


def index_page() -> str:
    """The front page: what README begins with, and all pages in the sections of docs/README.md."""
    begins = (ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")[1]
    _, *sections = SECTION.split((ROOT / "docs/README.md").read_text(encoding="utf-8"))
    parts = [f"# Headrace\n\n{begins}\n"]
    for title, text in zip(sections[::2], sections[1::2], strict=True):
        pages = [f"docs/{name}" for _, name, _ in LINK.findall(text)]
        parts.append(_toctree(title, [*pages, *(REFERENCE.values() if title == "Reference" else [])]))
    return "\n".join([*parts, _toctree("Project", [*PROJECT, "docs/README.md"])])


def _toctree(title: str, pages: list[str]) -> str:
    names = "\n".join(page.rsplit(".", 1)[0] for page in pages)
    return f"```{{toctree}}\n:caption: {title}\n:maxdepth: 1\n\n{names}\n```\n"


def commands_page() -> str:
    """All commands of `headrace` with their arguments and options."""
    from typer.main import get_command

    from core.cli.app import build

    text = ["# Commands\n\nWhat `headrace COMMAND --help` says, of all commands.\n"]
    for path, command in commands(get_command(build()), "headrace"):
        text.append(f"## {path}\n\n{_prose(command.help or '')}")
        rows = [_row(param) for param in command.params if param.name != "help"]
        if rows:
            text.append("| | |\n|---|---|\n" + "\n".join(rows) + "\n")
        text.append(_prose(command.epilog or ""))
    return "\n".join(text)


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Those that do something, groups left out."""
    children = getattr(command, "commands", {})
    if not children:
        yield path, command
    for name, child in children.items():
        yield from commands(child, f"{path} {name}")


def _row(param: Any) -> str:
    names = [*param.opts, *param.secondary_opts] if param.opts[0].startswith("-") else [param.metavar or param.name]
    default = param.default
    given = isinstance(default, int | float | str) and not isinstance(default, bool)
    said = _escaped(param.help or "") + (f" [{default}]" if given else "")
    return f"| {', '.join(f'`{name}`' for name in names)} | {said} |"


def _prose(text: str) -> str:
    """Help as Markdown: indented lines are commands, marks of emphasis go."""
    plain = re.sub(r"\[/?(?:bold|italic|dim)\]", "", text).replace("\b", "")
    parts = []
    for block in re.split(r"\n\s*\n", plain.strip("\n")):
        lines = block.splitlines()
        indented = bool(lines) and all(line.startswith("  ") for line in lines)
        code = "\n".join(line.strip() for line in lines)
        parts.append(f"```sh\n{code}\n```\n" if indented else f"{_escaped(code)}\n")
    return "\n".join(parts).replace("\n```\n\n```sh\n", "\n")


def _escaped(text: str) -> str:
    return re.sub(r"(?<![`\w])([<>*_|\[\]])", r"\\\1", " ".join(text.splitlines()) if "|" in text else text)


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


if __name__ == "__main__":
    stage(Path(sys.argv[1]))
