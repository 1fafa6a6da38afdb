"""Settings fit the machine, keep the data, and say why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database.sizing.tuning import GB, MB, Machine, Setting, as_conf, machine, parse_bytes, replaced, tune
from core.errors import ConfigError

MACHINES = st.builds(
    Machine,
    ram_bytes=st.integers(512, 16_384 * 1024).map(lambda mb: mb * MB),
    cores=st.integers(1, 1_024),
    disk=st.sampled_from(["ssd", "network", "hdd"]),
    connections=st.integers(10, 5_000),
)


def value(settings: list[Setting], name: str) -> str:
    (found,) = (setting.value for setting in settings if setting.name == name)
    return found


def test_tune_a_server_of_64_gb_as_the_manual_would() -> None:
    settings = tune(machine("64GB", 16, "ssd"))
    assert value(settings, "shared_buffers") == "16GB"
    assert value(settings, "work_mem") == "81MB"
    assert value(settings, "max_wal_size") == "32GB"
    assert value(settings, "max_parallel_workers_per_gather") == "4"
    assert value(settings, "random_page_cost") == "1.1"


@given(MACHINES)
def test_tune_never_promises_more_memory_than_there_is(target: Machine) -> None:
    settings = tune(target)
    buffers = parse_bytes(value(settings, "shared_buffers"))
    work = parse_bytes(value(settings, "work_mem")) * target.connections
    # 4 MB a connection is PostgreSQL's own default; below it nothing can be saved.
    assert buffers + min(work, target.ram_bytes // 2) <= target.ram_bytes * 3 // 4
    assert work <= max(target.ram_bytes // 2, 4 * MB * target.connections)


@given(MACHINES)
def test_tune_keeps_the_data_and_names_each_setting_once_with_a_reason(target: Machine) -> None:
    settings = tune(target)
    assert {value(settings, name) for name in ("fsync", "full_page_writes", "synchronous_commit")} == {"on"}
    assert len({setting.name for setting in settings}) == len(settings)
    assert all(len(setting.reason) > 10 for setting in settings)


def test_disk_changes_what_depends_on_it() -> None:
    ssd, hdd = tune(machine("8GB", 4, "ssd")), tune(machine("8GB", 4, "hdd"))
    assert value(ssd, "random_page_cost") < value(hdd, "random_page_cost")
    assert value(ssd, "effective_io_concurrency") == "200"
    assert value(hdd, "effective_io_concurrency") == "4"
    assert value(ssd, "work_mem") == value(hdd, "work_mem")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("64GB", 64 * GB),
        ("512mb", 512 * MB),
        ("1.5 TB", 1536 * GB),
        ("64Gi", 64 * GB),
        ("8G", 8 * GB),
        ("8GiB", 8 * GB),
    ],
)
def test_parse_bytes_reads_common_spellings(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "64", "GB", "64 KB", "-4GB", "1e3GB", "64GBs", "٦٤GB", "64,5GB", "9999999GB"])
def test_parse_bytes_refuses_the_rest(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 512MB"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        (("100MB", 4, "ssd", 100), "between 512MB and 16TB"),
        (("17TB", 4, "ssd", 100), "between 512MB and 16TB"),
        (("8GB", 0, "ssd", 100), "--cores 0: must be between 1 and 1024"),
        (("8GB", 4, "tape", 100), "--disk tape: must be one of ssd, network, hdd"),
        (("8GB", 4, "ssd", 5), "--connections 5"),
    ],
)
def test_machine_refuses_what_cannot_be(given_: tuple[str, int, str, int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        machine(*given_)


@pytest.mark.parametrize(
    "wish", ["fsync=off", "FSYNC = false", "full_page_writes='off'", "full_page_writes=0", "synchronous_commit=off"]
)
def test_replaced_refuses_what_loses_data_unless_it_is_asked_for(wish: str) -> None:
    settings = tune(machine("8GB", 4, "ssd"))
    with pytest.raises(ConfigError, match="is refused: a crash .* add --allow-unsafe"):
        replaced(settings, [wish])
    name = wish.partition("=")[0].strip().lower()
    assert value(replaced(settings, [wish], allow_unsafe=True), name) in {"off", "false", "0"}


def test_replaced_takes_own_values_and_adds_new_names() -> None:
    settings = replaced(tune(machine("8GB", 4, "ssd")), ["work_mem=64MB", "log_statement = ddl"])
    assert value(settings, "work_mem") == "64MB"
    assert settings[-1] == Setting("log_statement", "ddl", "your choice")


@pytest.mark.parametrize("wish", ["work_mem", "=5", "a b=c", "x='a'b'", "x=1\ny=2"])
def test_replaced_refuses_what_is_no_setting(wish: str) -> None:
    with pytest.raises(ConfigError, match="say name=value"):
        replaced([], [wish])


def test_as_conf_quotes_words_and_not_numbers() -> None:
    text = as_conf(
        [Setting("a", "16GB", "r1"), Setting("b", "pg_stat_statements", "r2"), Setting("c", "0.9", "r3")], "x"
    )
    assert text == "# x\n\n# r1\na = 16GB\n# r2\nb = 'pg_stat_statements'\n# r3\nc = 0.9\n"
