"""PostgreSQL's settings for a machine that serves the queue and the results of matching, each with its reason.

Pure: a machine in, settings out. The rules are those of PostgreSQL's manual (chapters "Resource Consumption" and "Write
Ahead Log") and of what the queue does all day: short transactions over few hot headers, large COPY streams into
append-only partitions, and many dead header versions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from core.errors import ConfigError

Disk = Literal["ssd", "network", "hdd"]

MB = 1024**2
GB = 1024**3
MIN_RAM_BYTES = 512 * MB
MAX_RAM_BYTES = 16_384 * GB
MAX_CORES = 1_024
_UNITS = {"MB": MB, "GB": GB, "TB": 1024 * GB}
_OFF = {"off", "false", "no", "0", "of", "fa", "fal", "fals", "n", "f"}

# What a crash or a power cut does with the setting at `off`.
UNSAFE: Mapping[str, str] = {
    "fsync": "a crash of the machine can destroy the whole database",
    "full_page_writes": "a crash of the machine can leave torn pages that no recovery repairs",
    "synchronous_commit": "a crash loses work that was acknowledged as done or enqueued",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """What PostgreSQL may use. Build it with `machine()`, which checks."""

    ram_bytes: int
    cores: int
    disk: Disk
    connections: int


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of postgresql.conf and why it is there."""

    name: str
    value: str
    reason: str


def machine(ram: str, cores: int, disk: str, connections: int = 100) -> Machine:
    """Read a machine in words, such as 64GB, 16, ssd. Raises ConfigError naming the option and its bounds."""
    if disk not in get_args(Disk):
        raise ConfigError(f"--disk {disk}: must be one of {', '.join(get_args(Disk))}", value=disk)
    if not 1 <= cores <= MAX_CORES:
        raise ConfigError(f"--cores {cores}: must be between 1 and {MAX_CORES}", value=cores)
    if not 10 <= connections <= 5_000:
        raise ConfigError(f"--connections {connections}: must be between 10 and 5000", value=connections)
    size = parse_bytes(ram)
    if not MIN_RAM_BYTES <= size <= MAX_RAM_BYTES:
        raise ConfigError(f"--ram {ram}: must be between 512MB and 16TB", value=ram)
    return Machine(size, cores, disk, connections)  # type: ignore[arg-type]


def parse_bytes(text: str) -> int:
    """`64GB`, `1.5 TB`, `512mb` or Kubernetes' `64Gi` in bytes, by powers of 1024. Raises ConfigError."""
    found = re.fullmatch(r"\s*([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*([MGT])(?:i?B|i)?\s*", text, re.IGNORECASE | re.ASCII)
    if found is None:
        raise ConfigError(f"--ram {text!r}: say a number and a unit, such as 512MB, 64GB or 1TB", value=text)
    return int(float(found[1]) * _UNITS[f"{found[2].upper()}B"])


def tune(target: Machine) -> list[Setting]:
    """Settings in the order of postgresql.conf's chapters. Every reason is one sentence."""
    return [*_memory(target), *_disk(target), *_writing(target), *_workers(target), *_vacuum(target), *_watching()]


def replaced(settings: Sequence[Setting], wishes: Sequence[str], *, allow_unsafe: bool = False) -> list[Setting]:
    """Settings with `name=value` wishes of the caller in their place.

    Raises:
        ConfigError: a wish is not `name=value`, or switches off what keeps the data and `allow_unsafe` is false.
    """
    own: dict[str, str] = {}
    for wish in wishes:
        found = re.fullmatch(r"\s*([a-z_][a-z0-9_.]*)\s*=\s*'?([^'\n\r]*?)'?\s*", wish, re.IGNORECASE)
        if found is None:
            raise ConfigError(f"--set {wish!r}: say name=value, such as work_mem=64MB", value=wish)
        own[found[1].lower()] = found[2]
    for name, loss in UNSAFE.items():
        if own.get(name, "on").lower() in _OFF and not allow_unsafe:
            raise ConfigError(f"{name}=off is refused: {loss}; add --allow-unsafe if that may happen", name=name)
    kept = [Setting(s.name, own.pop(s.name), "your choice") if s.name in own else s for s in settings]
    return [*kept, *(Setting(name, value, "your choice") for name, value in own.items())]


def as_conf(settings: Sequence[Setting], heading: str) -> str:
    """The text of a file for postgresql.conf to include: a comment with the reason above each line."""
    lines = [f"# {heading}", ""]
    for setting in settings:
        bare = re.fullmatch(r"[0-9.]+|on|off|[0-9]+(kB|MB|GB|TB|ms|s|min|h|d)", setting.value)
        lines += [f"# {setting.reason}", f"{setting.name} = {setting.value if bare else repr(setting.value)}"]
    return "\n".join(lines) + "\n"


def _memory(target: Machine) -> list[Setting]:
    buffers = min(target.ram_bytes // 4, 16 * GB)
    # A statement can sort in several nodes at once, hence three shares a connection; half is for the system.
    work = _between((target.ram_bytes - buffers) // 2 // (target.connections * 3), 4 * MB, 256 * MB)
    upkeep = _between(target.ram_bytes // 16, 64 * MB, 2 * GB)
    return [
        Setting("max_connections", str(target.connections), "PgBouncer shares few connections among many consumers"),
        Setting(
            "shared_buffers",
            _size(buffers),
            "a quarter of the memory; above 16 GB checkpoints grow and the queue gains nothing, its headers being few",
        ),
        Setting(
            "effective_cache_size", _size(target.ram_bytes * 7 // 10), "what the system caches besides; a hint only"
        ),
        Setting("work_mem", _size(work), "three sorts in every connection at once still fit into half of what is left"),
        Setting("maintenance_work_mem", _size(upkeep), "indexes of results are built in few passes"),
        Setting("huge_pages", "try", "fewer page tables for shared_buffers where the system has huge pages"),
        Setting("jit", "off", "statements of the queue take milliseconds, compiling them takes longer"),
    ]


def _disk(target: Machine) -> list[Setting]:
    costs = {"ssd": ("1.1", 200), "network": ("1.3", 128), "hdd": ("4", 4)}
    random_cost, reads = costs[target.disk]
    near = "costs as much as" if target.disk != "hdd" else "costs more than"
    return [
        Setting("random_page_cost", random_cost, f"on {target.disk} a random read {near} a sequential one"),
        Setting("effective_io_concurrency", str(reads), f"requests that {target.disk} works on at once"),
        Setting("maintenance_io_concurrency", str(reads), "the same for vacuum and index builds"),
        Setting(
            "io_workers", str(_between(target.cores // 4, 3, 32)), "processes that read ahead, a quarter of the cores"
        ),
    ]


def _writing(target: Machine) -> list[Setting]:
    wal = _between(target.ram_bytes // 2, 2 * GB, 64 * GB)
    return [
        Setting("fsync", "on", "never off: without it a crash destroys the database"),
        Setting("full_page_writes", "on", "never off: without it a crash leaves torn pages"),
        Setting(
            "synchronous_commit", "on", "a batch that was acknowledged stays done; one commit a batch costs little"
        ),
        Setting("wal_compression", "on", "page images shrink to a fraction; lz4 costs less, where the build has it"),
        Setting(
            "wal_buffers",
            _size(_between(target.ram_bytes // 256, 16 * MB, 64 * MB)),
            "a COPY stream fills the default of 16 MB at once",
        ),
        Setting("max_wal_size", _size(wal), "checkpoints come by time, not by volume, while results are published"),
        Setting("min_wal_size", _size(wal // 4), "files of the log are used again instead of made anew"),
        Setting("checkpoint_timeout", "15min", "fewer full page images; recovery stays within minutes"),
        Setting("checkpoint_completion_target", "0.9", "writes are spread over the whole interval"),
    ]


def _workers(target: Machine) -> list[Setting]:
    gather = _between(target.cores // 4, 1, 4)
    return [
        Setting(
            "max_worker_processes", str(target.cores + 8), "a worker a core, and room for extensions and replication"
        ),
        Setting("max_parallel_workers", str(target.cores), "reports and index builds may use every core"),
        Setting("max_parallel_workers_per_gather", str(gather), "one report leaves cores to the consumers"),
        Setting("max_parallel_maintenance_workers", str(gather), "indexes of results are built in parallel"),
    ]


def _vacuum(target: Machine) -> list[Setting]:
    limit = {"ssd": 4000, "network": 2000, "hdd": 800}[target.disk]
    return [
        Setting(
            "autovacuum_max_workers", str(_between(target.cores // 4, 3, 8)), "partitions and headers do not queue up"
        ),
        Setting("autovacuum_naptime", "10s", "headers change all the time; a minute of dead versions slows claims"),
        Setting("autovacuum_vacuum_cost_limit", str(limit), f"as fast as {target.disk} bears beside the work"),
        Setting("autovacuum_vacuum_scale_factor", "0.05", "a twentieth dead is enough to start"),
        Setting(
            "idle_in_transaction_session_timeout", "10min", "a forgotten transaction keeps every dead version alive"
        ),
    ]


def _watching() -> list[Setting]:
    return [
        Setting("shared_preload_libraries", "pg_stat_statements", "which statements cost most can be asked for"),
        Setting("track_io_timing", "on", "tells waiting for the disk from working"),
        Setting("log_checkpoints", "on", "a checkpoint by volume shows that max_wal_size is too small"),
        Setting("log_lock_waits", "on", "a claim that waits for a lock is worth a line"),
        Setting("log_autovacuum_min_duration", "10s", "vacuums that take long are where dead versions come from"),
    ]


def _between(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def _size(n_bytes: int) -> str:
    """Whole MB or, where nothing is lost, GB; PostgreSQL reads both by powers of 1024."""
    return f"{n_bytes // GB}GB" if n_bytes % GB == 0 else f"{n_bytes // MB}MB"


def embedded_conf(socket_dir: Path, shared_mb: int) -> str:
    """The postgresql.conf of a server that Headrace runs itself, reached by its socket alone."""
    values = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{socket_dir}"',
        "unix_socket_permissions": "0700",
        "max_connections": 200,
        "shared_buffers": f"{shared_mb}MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "shared_preload_libraries": "pg_stat_statements",
        # Row data must not reach the log: no DETAIL and CONTEXT, no statement text beside an error.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_parameter_max_length_on_error": 0,
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    lines = [f"{key} = '{value}'" for key, value in values.items()]
    return "# Written by Headrace at every start; changes are lost.\n" + "\n".join(lines) + "\n"
