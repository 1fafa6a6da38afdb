"""The lock files: names, versions and hashes, nothing else, and in step with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from functools import cache

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.tree import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
BROWSER_LOCK = "tests/browser/requirements.lock"
SITE_LOCK = "docs/site/requirements.lock"
UV_LOCK = "requirements-uv.lock"
HEAD = re.compile(r"^(?P<requirement>[a-z0-9][a-z0-9._-]*==\S+(?: ; [^\\]+?)?)(?: \\)?$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


@cache
def locked(name: str) -> tuple[Requirement, ...]:
    """The pinned requirements of a lock file."""
    heads = map(HEAD.match, (ROOT / name).read_text(encoding="utf-8").splitlines())
    return tuple(Requirement(head["requirement"]) for head in heads if head)


@cache
def declared(*extras: str) -> tuple[Requirement, ...]:
    """What pyproject.toml asks for: base set, build tools and the extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    for extra in extras:
        wanted += project["project"]["optional-dependencies"][extra]
    return tuple(map(Requirement, wanted))


@pytest.mark.parametrize("name", [*LOCKS, BROWSER_LOCK, SITE_LOCK, UV_LOCK])
def test_lock_holds_names_versions_and_hashes_only(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    odd = [f"{name}:{n}: {line}" for n, line in enumerate(lines, 1) if not (HEAD.match(line) or HASH.match(line))]
    assert not odd, "run `make lock`; a lock has no URL, path, option or comment:\n" + "\n".join(odd[:10])


@pytest.mark.parametrize("name", [*LOCKS, BROWSER_LOCK, SITE_LOCK, UV_LOCK])
def test_lock_has_a_hash_for_each_package(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    bare = [
        line for line, after in zip(lines, [*lines[1:], ""], strict=True) if HEAD.match(line) and not HASH.match(after)
    ]
    assert not bare, f"{name}: no hash for {bare}"


@pytest.mark.parametrize(
    ("name", "extras"),
    [(LOCKS[0], ("local", "k8s", "s3")), (LOCKS[1], ("local", "k8s", "s3", "dev", "bench", "peers"))],
)
def test_lock_serves_what_pyproject_asks_for(name: str, extras: tuple[str, ...]) -> None:
    pins: dict[str, list[str]] = {}
    for pin in locked(name):
        pins.setdefault(canonicalize_name(pin.name), []).append(next(iter(pin.specifier)).version)
    stale = [
        str(wanted)
        for wanted in declared(*extras)
        if not any(wanted.specifier.contains(v, prereleases=True) for v in pins.get(canonicalize_name(wanted.name), []))
    ]
    assert not stale, f"{name} does not serve {stale}: run `make lock`"


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_lock_serves_every_python_that_is_promised(python: str) -> None:
    """That each has wheels is asked of the index by `make test-image`."""
    here = {**default_environment(), "python_version": python, "python_full_version": f"{python}.0"}
    pins: dict[str, list[str]] = {}
    for pin in locked(LOCKS[1]):
        if pin.marker is None or pin.marker.evaluate(here):
            pins.setdefault(canonicalize_name(pin.name), []).append(next(iter(pin.specifier)).version)
    twice = {name: versions for name, versions in pins.items() if len(versions) > 1}
    assert not twice, f"Python {python} is given two versions: {twice}"
    wanted = [need for need in declared("local", "dev", "bench") if need.marker is None or need.marker.evaluate(here)]
    lacking = [str(need) for need in wanted if canonicalize_name(need.name) not in pins]
    assert not lacking, f"Python {python} is given no {lacking}"


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_run_lock_is_a_subset_of_the_dev_lock(python: str, system: str) -> None:
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": system}

    def pinned(lock: str) -> set[str]:
        """What is installed on such a machine; markers that say the same in other words count alike."""
        here = (pin for pin in locked(lock) if pin.marker is None or pin.marker.evaluate(machine))
        return {f"{pin.name}{pin.specifier}" for pin in here}

    apart = pinned(LOCKS[0]) - pinned(LOCKS[1])
    assert not apart, f"tests would run on other versions than the product: {sorted(apart)}: run `make lock`"


def test_uv_that_installs_is_the_uv_that_locks() -> None:
    (uv,) = map(str, locked(UV_LOCK))
    assert uv in map(str, locked(LOCKS[1])), "one lock for both: run `make lock`"


def test_other_queues_and_matchers_are_not_installed_to_run() -> None:
    assert not {pin.name for pin in locked(LOCKS[0])} & {"pgqueuer", "procrastinate", "splink", "duckdb"}, (
        "the extras `bench` and `peers` are for `make test`"
    )


def test_recordlinkage_brings_no_dependencies() -> None:
    names = {pin.name for pin in locked(LOCKS[1])}
    assert "recordlinkage" in names
    assert not names & {"scikit-learn", "jellyfish"}, "only its CSV files are read; see decision 0003"
