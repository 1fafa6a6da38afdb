"""Pages from templates: one layout, autoescaped, a missing name is an error and not an empty place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from core.errors import ConfigError
from core.pages import assets
from core.pages.kit import Key, Link, Section, kit_of

TEMPLATES = Path(__file__).parent / "templates"
EVERYWHERE = (Key("?", "show the keys"), Key("/", "go to the search or the first filter"), Key("n", "next page"))


def environment(sections: Sequence[Section]) -> Environment:
    """Templates of the kit and, below the name of each, of the sections; checks that no two links have one key."""
    _require_keys_apart(sections)
    of_sections: dict[str, BaseLoader] = {
        section.name: FileSystemLoader(section.templates) for section in sections if section.templates is not None
    }
    loader = ChoiceLoader([PrefixLoader(of_sections), FileSystemLoader(TEMPLATES)])
    # Kept in place: whatever a template prints is escaped, whoever wrote it.
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"count": _count, "when": _when, "ago": _ago}
    made.globals["asset"] = assets.address
    # Not imported by each page: a block that is shown alone has no imports of its template.
    made.globals["shown"] = made.get_template("table.html.j2").module.table  # type: ignore[attr-defined]
    return made


def show(request: Request, template: str, title: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page in the layout; a request of htmx, or for a part (`?part=live`), gets the template's block of that name.

    Args:
        template: `<section>/<page>.html.j2`, which extends `layout.html.j2`.
        title: of the page and the window; never holds a value of a record.
        values: what the template prints; `keys`, a sequence of `Key`, are those of this page beside those of all.
    """
    kit = kit_of(request)
    person = getattr(request.state, "person", None)
    links = [
        link for section in kit.sections for link in section.links if person is not None and person.may(link.least)
    ]
    context = values | {
        "title": title,
        "person": person,
        "sections": [(section, _seen(section, person)) for section in kit.sections if _seen(section, person)],
        "path": request.url.path,
        "query": request.query_params,
        "keys": [
            *EVERYWHERE,
            *(Key(f"g {link.key}", f"go to {link.words}") for link in links if link.key),
            *values.get("keys", ()),
        ],
        "prefect_url": kit.prefect_url,
        "facts": kit.facts,
        "now": datetime.now(UTC),
    }
    found = kit.environment.get_template(template)
    part = request.query_params.get("part") or ("list" if "hx-request" in request.headers else "")
    if part in found.blocks:
        body = "".join(found.blocks[part](found.new_context(context)))
    else:
        body = found.render(context)
    return HTMLResponse(body, status, headers={"Vary": "Cookie, Authorization, HX-Request"})


def _seen(section: Section, person: Any) -> list[Link]:
    return [link for link in section.links if person is not None and person.may(link.least)]


def _require_keys_apart(sections: Sequence[Section]) -> None:
    taken: dict[str, Link] = {}
    for link in (link for section in sections for link in section.links if link.key):
        if (other := taken.setdefault(str(link.key), link)) is not link:
            raise ConfigError(
                f"the key g {link.key} leads to {other.href} and to {link.href}; one needs another letter"
            )


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _when(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _ago(seconds: float | None) -> str:
    """An age as people read it, coarser the greater: 7 s, 5 min, 3 h, 2 d."""
    if seconds is None:
        return ""
    for size_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size_s:
            return f"{int(seconds // size_s)} {unit}"
    return f"{int(seconds)} s"
