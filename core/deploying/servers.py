"""What every Prefect server and every flow that we start is told."""

from __future__ import annotations

from collections.abc import Mapping

# Nothing is told to Prefect's makers.
QUIET: Mapping[str, str] = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
}

# Task runs are written many at a time, not one by one: less than half of the server's work for a flow of many tasks.
BATCHED: Mapping[str, str] = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}

# What our own modules warn of stands in the log of a run, too; threads outside any run say it to the console alone.
# That a batch is done is no line of the log: its task run says so. `prefect.yaml` tells runs of deployments the same.
RUN_LOG: Mapping[str, str] = {
    "PREFECT_LOGGING_EXTRA_LOGGERS": "core,flows,headrace",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL": "WARNING",
}
