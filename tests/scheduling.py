"""Which files go to the same test process."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling

# They take turns on the run's Prefect server: in two processes, one of them would only wait.
ON_PREFECT = ("tests/flows/", "tests/k8s/test_worker.py", "tests/docs/test_pages_with_a_server.py")


def on_prefect(path: str) -> bool:
    """Whether the tests of a file need the run's Prefect server."""
    return path.startswith(ON_PREFECT)


class ByFile(LoadFileScheduling):
    """A file as a whole, and all files on the Prefect server as one."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return ON_PREFECT[0] if on_prefect(path) else path
