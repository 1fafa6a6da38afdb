from __future__ import annotations

from pathlib import Path

from core.settings import Settings
from core.web.app import create_app
from core.web.front_page import front_page, prefect_ui


def test_front_page_lists_what_answers_and_escapes_what_it_shows(tmp_path: Path) -> None:
    app = create_app(Settings(state_dir=tmp_path))
    page = front_page(app, "the database <prod> is away", "http://127.0.0.1:4200/?a=1&b=2")
    for path in ("/health", "/ready", "/metrics", "/docs"):
        assert f'<a href="{path}">{path}</a>' in page
    assert "the database &lt;prod&gt; is away" in page
    assert '<a href="http://127.0.0.1:4200/?a=1&amp;b=2">Prefect</a>' in page
    assert "<script" not in page
    assert "The database answers." in front_page(app, None, None)


def test_prefect_ui_is_that_of_the_configured_api(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    assert prefect_ui(settings, {}) is None
    assert prefect_ui(settings, {"PREFECT_API_URL": "http://prefect:4200/api"}) == "http://prefect:4200"
    assert prefect_ui(settings, {"PREFECT_API_URL": "http://me:word@prefect:4200/api"}) is None
    assert prefect_ui(settings, {"PREFECT_API_URL": "ftp://prefect"}) is None
