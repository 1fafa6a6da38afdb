"""Which environment variables somebody reads: ours, Prefect's, the S3 client's, and a few of other programs."""

from __future__ import annotations

from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.credentials import EnvProvider
from prefect.settings.legacy import _get_valid_setting_names
from prefect.settings.models.root import Settings as PrefectSettings
from prefect_kubernetes.settings import KubernetesSettings

from core.settings import valid_names

# Read from the environment directly, hence in no model: by Prefect, numba, PostgreSQL's image and the C library.
READ_DIRECTLY = {
    "PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR",
    # A path into Prefect's logging.yml; tests/flows/test_reports.py sees it act.
    "PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL",
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
    known = {*valid_names(), *prefect, *_of_s3()}
    # `PREFECT__` marks what the worker tells the run, such as its id.
    return name in {*known, *READ_DIRECTLY} or name.startswith("PREFECT__")


def _of_s3() -> set[str]:
    """What botocore reads, as it says itself; the address of the store it reads in code (botocore.configprovider)."""
    said = [variables for _, variables, *_ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values() if variables]
    names = {name for one in said for name in ([one] if isinstance(one, str) else one)}
    return {*names, EnvProvider.ACCESS_KEY, EnvProvider.SECRET_KEY, "AWS_ENDPOINT_URL"}
