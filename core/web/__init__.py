"""The workbench: health, readiness, metrics, the start page, operations, and the pages of workloads."""
