"""The tutorial notebook runs from its first cell to its last, in a kernel of its own, and shows what its text says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.architecture.tree import ROOT

NOTEBOOK = ROOT / "docs/tutorials/match-in-a-notebook.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("TMPDIR", str(folder))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def shown(notebook: Any, source: str, kind: str = "text/plain") -> str:
    """What the cell that holds `source` gives."""
    (cell,) = (cell for cell in notebook.cells if cell.cell_type == "code" and source in cell.source)
    return str(next(out["data"][kind] for out in cell.outputs if out.output_type == "execute_result"))


def test_notebook_shows_an_answer_that_is_right(executed: Any) -> None:
    assert shown(executed, "found = headrace.match").startswith("2,000 records are ")
    assert "f1=0.9" in shown(executed, "quality.pairwise")


def test_notebook_shows_explanation_and_report_inline(executed: Any) -> None:
    assert shown(executed, "found.explain", "text/html").startswith("<pre>prior")
    assert shown(executed, "found.report()", "text/html").startswith("<iframe srcdoc=")


def test_notebook_is_kept_without_what_it_gave() -> None:
    kept = nbformat.read(Path(NOTEBOOK), as_version=4)
    assert all(not cell.outputs and cell.execution_count is None for cell in kept.cells if cell.cell_type == "code")
