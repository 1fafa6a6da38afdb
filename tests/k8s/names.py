"""Which environment variables somebody reads: ours, Prefect's, and a few of other programs."""

from __future__ import annotations

from prefect.settings.legacy import _get_valid_setting_names
from prefect.settings.models.root import Settings as PrefectSettings
from prefect_kubernetes.settings import KubernetesSettings

from core.settings import valid_names

# Read from the environment directly, hence in no model: by Prefect, numba, PostgreSQL's image and the C library.
READ_DIRECTLY = {
    "PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR",
    "DO_NOT_TRACK",
    "NUMBA_CACHE_DIR",
    "PGDATA",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_INITDB_ARGS",
    "HOME",
}


def is_read(name: str) -> bool:
    """Whether some program of ours or below us reads the variable. A typo is read by nobody."""
    prefect = _get_valid_setting_names(PrefectSettings) | _get_valid_setting_names(KubernetesSettings)
    # `PREFECT__` marks what the worker tells the run, such as its id.
    return name in {*valid_names(), *prefect, *READ_DIRECTLY} or name.startswith("PREFECT__")
