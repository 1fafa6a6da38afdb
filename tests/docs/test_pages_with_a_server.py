"""Pages whose commands work in the database, and in part as Prefect's runs, followed on the run's own servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from core.database.embedded import EmbeddedServer
from core.terminal.become_flow import flow_environment
from tests.command import headrace
from tests.conftest import create_database, fresh_database
from tests.docs.followed import Reader
from tests.docs.test_pages import BEGUN_ALONE, VIA_PREFECT, WITH_A_SERVER
from tests.flows.in_process import prefect_of
from tests.prefect_server import PrefectServer, at_hand
from tests.profiles import is_long


@pytest.fixture(scope="module")
def prefect_server(services_folder: Path, postgres: EmbeddedServer) -> Iterator[PrefectServer]:
    owner = int((services_folder / "owner").read_text())
    with at_hand(
        services_folder / "prefect", owner, lambda: postgres.url(create_database(postgres, "template0"))
    ) as it:
        yield it


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


# One page with a run of Prefect's is enough for a quick look; this one is hardly anything else.
WHOLE = "docs/how-to/look-up-a-record.md"


@pytest.mark.parametrize("page", [*WITH_A_SERVER, *(BEGUN_ALONE if is_long() else [])])
def test_page_can_be_followed(page: str, home: Path, postgres: EmbeddedServer, prefect_server: PrefectServer) -> None:
    up_to = None if is_long() or page == WHOLE else VIA_PREFECT
    with fresh_database(postgres) as url:
        env = {"HEADRACE_DATABASE__URL": url, "HEADRACE_STATE_DIR": str(home / "state")}
        Reader(home, {**prefect_server.env, **env}, becoming_flows).follow(page, up_to=up_to)


def becoming_flows(*words: str, env: Mapping[str, str], cwd: Path) -> CompletedProcess[str]:
    """`headrace WORDS`, which becomes a flow without a process of its own."""

    def become(module: str, arguments: list[str]) -> None:
        with prefect_of(flow_environment()):
            import_module(module).main(arguments)
        raise SystemExit(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.workloads.identity.cli.match.become_flow", become)
        # `reconcile` takes it from its own module when it is called.
        patch.setattr("core.terminal.become_flow.become_flow", become)
        return headrace(*words, env=env, cwd=cwd)
