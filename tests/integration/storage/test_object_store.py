from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from s3fs import S3FileSystem

from core.errors import ConfigError, ScratchFull, ServiceUnavailable
from core.storage import object_store, scratch
from core.storage.object_store import ObjectStore, Piece, Stored
from core.storage.scratch import LocalCopy, Scratch
from core.storage.workspace import Workspace, load, save
from tests.integration.storage.conftest import BUCKET, make_bucket, s3_server


@pytest.fixture
def store(s3_env: dict[str, str], request: pytest.FixtureRequest) -> ObjectStore:
    return ObjectStore(f"s3://{BUCKET}/{request.node.name}")


def test_objects_come_back_in_parts_and_go(store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "PART_BYTES", 1_000)
    content = np.random.default_rng(3).bytes(10_001)
    (tmp_path / "a").write_bytes(content)
    monkeypatch.setattr(object_store, "_OPTIONS", {})
    store.upload({"match/1/a": tmp_path / "a"})
    store.write("match/1/b@20002", b"end")
    first, second = sorted(store.list("match/1"), key=lambda each: each.name)
    assert (first.name, first.n_bytes, second.name) == ("match/1/a", 10_001, "match/1/b@20002")
    store.download([Piece(first, 0), Piece(first, 10_001), Piece(second, 20_002)], tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content * 2 + b"end"
    store.write("match/1/a", b"other")
    assert next(each for each in store.list("match/1") if each.name == "match/1/a").version != first.version
    store.remove("match")
    store.remove("match")
    assert store.list("match/1") == []
    assert store.read("match/1/a") is None


def test_a_large_file_travels_in_several_parts(store: ObjectStore, tmp_path: Path) -> None:
    content = np.random.default_rng(4).bytes(3 * object_store.PART_BYTES + 7)
    (tmp_path / "a").write_bytes(content)
    store.upload({"a": tmp_path / "a"})
    (found,) = store.list("")
    store.download([Piece(found, 0)], tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == content


def test_an_object_that_is_gone_is_no_answer_of_zeros(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.download([Piece(Stored("gone", 10, ""), 0)], tmp_path / "x")


def refused(uri: str) -> str:
    with pytest.raises(ConfigError) as caught:
        ObjectStore(uri).write("a", b"x")
    assert "secret" not in caught.value.message
    return caught.value.message


def test_what_is_wrong_is_said_in_one_sentence(
    s3_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there is no such bucket" in refused("s3://not-there/jobs")
    with pytest.raises(ConfigError, match="there is no such bucket"):
        ObjectStore("s3://not-there/jobs").read("job.json")
    with s3_server(tmp_path / "log", actions_without_rights=1) as url:
        make_bucket(url)
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        S3FileSystem.clear_instance_cache()
        assert "access refused (InvalidAccessKeyId)" in refused(f"s3://{BUCKET}/jobs")
    S3FileSystem.clear_instance_cache()
    with pytest.raises(ServiceUnavailable, match=r"workspace s3://.* does not answer \(\w+\); try again") as caught:
        ObjectStore(f"s3://{BUCKET}/jobs").read("job.json")
    assert caught.value.exit_code == 75
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    S3FileSystem.clear_instance_cache()
    assert "no credentials found; set AWS_ACCESS_KEY_ID" in refused(f"s3://{BUCKET}/jobs")
    S3FileSystem.clear_instance_cache()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(ConfigError, match=r"a package is missing; run `pip install 'headrace\[s3\]'`"):
        ObjectStore(f"s3://{BUCKET}/jobs")


def test_files_written_on_one_machine_are_mapped_on_another(
    s3_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"s3://{BUCKET}/two-machines"
    one, other = (Workspace(uri, Scratch(tmp_path / name)) for name in ("one", "other"))
    rows = np.arange(24, dtype=np.uint32).reshape(8, 3)
    folder = one.folder("reduce", 0, "a")
    one.new_array(folder, "words", rows.shape, np.uint32)
    save(folder, {"counts": rows[0]})
    one.keep(folder)
    place = one.relative(folder)
    assert np.array_equal(load(other.path(place), "counts"), rows[0])
    other.write_range(place, "words", 5, rows[5:])
    one.write_range(place, "words", 1, rows[1:5])
    one.write_range(place, "words", 1, rows[1:5])
    rows[0] = 0
    for workspace in (one, other):
        found = load(workspace.path(place), "words")
        assert np.array_equal(found, rows)
    monkeypatch.setattr(ObjectStore, "list", None)
    assert load(other.path(place), "words").shape == rows.shape, "a copy is fetched once"
    monkeypatch.undo()
    other.remove()
    assert not (one.path(place) / "other.npy").exists()
    one.close()
    other.close()
    assert [path for name in ("one", "other") for path in (tmp_path / name).iterdir()] == []


def test_what_may_change_is_looked_at_again(s3_env: dict[str, str], tmp_path: Path) -> None:
    one, other = (Workspace(f"s3://{BUCKET}/base", Scratch(tmp_path / name)) for name in ("one", "other"))
    (one.root / "base").mkdir()
    for text in ("first", "second"):
        (one.root / "base" / "log").write_text(text)
        one.keep(one.root / "base")
        assert (other.path("base") / "log").read_text() == text
    one.remove_file("base/log")
    assert not (other.path("base") / "log").exists()


def test_no_room_is_said_before_a_file_is_fetched(s3_env: dict[str, str], tmp_path: Path) -> None:
    uri = f"s3://{BUCKET}/room"
    one = Workspace(uri, Scratch(tmp_path / "one"))
    folder = one.folder("match", 0, "a")
    save(folder, {"large": np.arange(500_000, dtype=np.uint64)})
    one.keep(folder)
    small = Workspace(uri, Scratch(tmp_path / "small", limit_gb=0.003))
    with pytest.raises(ScratchFull, match=r"no room for 4 MB more within 0\.003 GB \(HEADRACE_MATCHING__SCRATCH_GB\)"):
        load(small.path(one.relative(folder)), "large")
    mine = small.folder("match", 1, "b")
    save(mine, {"large": np.arange(500_000, dtype=np.uint64)})
    with pytest.raises(ScratchFull):
        small.keep(mine)


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    copy = LocalCopy(Scratch(tmp_path), "s3://b/full")

    def fill(part: Path) -> None:
        part.touch()
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")

    with pytest.raises(ScratchFull, match="the disk of .* is full"):
        copy.fetch("a", "1", 1, fill)
    assert [path.suffix for path in (copy.root.parent / "coming").iterdir()] == [".lock"]


def _hold(folder: str, ready: int, then: int) -> None:
    """A process that has begun to fetch when it is killed."""
    copy = LocalCopy(Scratch(Path(folder)), "s3://b/held")

    def fill(part: Path) -> None:
        part.write_bytes(b"half")
        os.write(ready, b"!")
        os.read(then, 1)

    copy.fetch("match/a", "1", 4, fill)


def test_copies_outlast_a_killed_process_and_go_with_the_last_user(tmp_path: Path) -> None:
    told, ready = os.pipe()
    then, go = os.pipe()
    killed = multiprocessing.get_context("fork").Process(target=_hold, args=(str(tmp_path), ready, then))
    killed.start()
    os.read(told, 1)
    killed.kill()
    killed.join()
    one, other = (LocalCopy(Scratch(tmp_path), "s3://b/held") for _ in range(2))
    assert not (one.root / "match/a").exists(), "half a file has no name"
    one.fetch("match/a", "1", 5, lambda part: part.write_bytes(b"whole") and None)
    one.close()
    other.fetch("match/a", "1", 5, lambda part: pytest.fail("it is there"))
    assert (other.root / "match/a").read_bytes() == b"whole"
    other.close()
    assert list(tmp_path.iterdir()) == []
    for descriptor in (told, ready, then, go):
        os.close(descriptor)


def test_leftovers_of_other_jobs_are_swept(tmp_path: Path) -> None:
    held = LocalCopy(Scratch(tmp_path), "s3://b/held")
    (tmp_path / "dead").mkdir()
    (tmp_path / "dead.use").touch()
    mine = LocalCopy(Scratch(tmp_path), "s3://b/mine")
    assert not (tmp_path / "dead").exists()
    assert held.root.exists()
    assert mine.root.exists()
    assert scratch._size(tmp_path) == 0
