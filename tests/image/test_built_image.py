"""The image as it would be built: each instruction carried out, then used as Kubernetes uses it. `make test-image`."""

from __future__ import annotations

import pytest

from tests.image.builder import answer, carried_out, script

LIMIT_S = 1_800
# Everything is asked of one build: it takes minutes.
QUESTIONS = r"""
echo "@uid $(inside id -u) $(inside id -g)"
echo "@wrote $(inside sh -c 'touch /opt/headrace/app/x /usr/x /etc/x 2>/dev/null && echo yes || echo no')"
inside headrace generate persons --rows 2000 --seed 7 --out /var/lib/headrace/people.parquet >&2
echo "@kernels before $(inside sh -c 'cd /tmp/kernels && find . -type f | sort | xargs sha256sum | sha256sum')"
inside headrace match /var/lib/headrace/people.parquet --spec persons --id id --out /var/lib/headrace/out.parquet >&2
echo "@kernels after $(inside sh -c 'cd /tmp/kernels && find . -type f | sort | xargs sha256sum | sha256sum')"
echo "@kernels count $(inside sh -c 'find /tmp/kernels -name "*.nbc" | wc -l')"
inside env PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS=180 python -m flows.demo | sed 's/^/@demo /'
echo "@ui $(inside env $(xargs < k8s/base/server/server.env) bash -c '
    prefect server start --port 4299 > /tmp/server.log 2>&1 &
    for _ in $(seq 120); do
        python -c "import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:4299/\").status)" 2>/dev/null && break
        sleep 1
    done
    kill $!; wait $! || true' || true)"
echo "@workers $(inside prefect worker start --help | grep -c -- --pool)"
echo "@kubernetes $(inside python -c 'import prefect_kubernetes; print(prefect_kubernetes.__name__)')"
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the built image answered; the log of the build is shown where it failed."""
    return carried_out(script(QUESTIONS), tmp_path_factory.mktemp("image") / "build.log", LIMIT_S)


def test_image_runs_as_nobody_in_particular(said: list[str]) -> None:
    assert answer(said, "uid") == "1001 1001"


def test_image_is_read_only(said: list[str]) -> None:
    assert answer(said, "wrote") == "no"


def test_kernels_come_compiled_and_are_not_compiled_again(said: list[str]) -> None:
    assert int(answer(said, "kernels count")) > 20
    assert answer(said, "kernels before") == answer(said, "kernels after")


def test_image_runs_the_demo(said: list[str]) -> None:
    demo = "\n".join(line for line in said if line.startswith("@demo"))
    assert "100,000 records are" in demo
    assert "precision 0.99" in demo


def test_prefects_ui_is_served_from_a_read_only_root(said: list[str]) -> None:
    """Prefect copies its pages at the start, by default beside its code; without a place it goes on and serves none."""
    assert answer(said, "ui") == "200"


def test_image_holds_the_worker_of_kubernetes(said: list[str]) -> None:
    assert answer(said, "workers") == "1"
    assert answer(said, "kubernetes") == "prefect_kubernetes"
