"""The Prefect server of the flows' tests serves these too."""

from tests.flows.conftest import prefect_env, prefect_server

__all__ = ["prefect_env", "prefect_server"]
