"""Match records from Python: `import headrace`, then `headrace.match(frame)`.

Frames of polars or pandas, or paths of files, go in; frames of the same kind come out. Nothing stays on disk but
what is saved. The whole of Headrace stands below `core`; this package only hands on what a notebook needs.
"""

from __future__ import annotations

from pathlib import Path as _Path


def _refuse_strangers() -> None:
    """Packages of a user's own that bear our names would be imported instead of ours, and fail in odd ways."""
    from importlib.util import find_spec

    ours = _Path(__file__).resolve().parent.parent
    for name in ("core", "flows"):
        found = find_spec(name)
        places = [] if found is None else [*(found.submodule_search_locations or ()), found.origin or ""]
        if ours not in {_Path(place).resolve().parent for place in places if place}:
            where = next((place for place in places if place), "nowhere")
            raise ImportError(
                f"headrace needs its own package {name!r}, but Python finds {where} first; rename that, or start "
                "Python in another folder or with -P"
            )


_refuse_strangers()

from core.errors import HeadraceError  # noqa: E402 - only ours may be imported
from core.workloads.identity.python.call import made_persons, match  # noqa: E402
from core.workloads.identity.python.explained import Explained, Page  # noqa: E402
from core.workloads.identity.python.result import MatchResult  # noqa: E402

__all__ = ["Explained", "HeadraceError", "MatchResult", "Page", "made_persons", "match"]
