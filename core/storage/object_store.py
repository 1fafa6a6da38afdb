"""An object store as the place of a job's files: what is asked of it, in parts that travel side by side.

Credentials are found where the cloud's own tools find them (environment, configuration, role of the machine); an
address that holds any is refused. What libraries say in their errors is never passed on: it may quote a request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import pwrite
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from core.errors import ConfigError, ServiceUnavailable

T = TypeVar("T")

PART_BYTES = 16 * 2**20
AT_ONCE = 8
UPLOADS_AT_ONCE = 4
"""Files; s3fs sends `UPLOADS_AT_ONCE` parts of each at once, so that 256 MiB are on their way at most."""
# Not shared by processes, or nothing can be written to them.
_UNFIT = frozenset({"memory", "http", "https", "data", "generic", "reference", "zip", "tar"})
_PACKAGES: Mapping[str, str] = {"s3": "headrace[s3]", "s3a": "headrace[s3]"}
_OPTIONS: Mapping[str, dict[str, Any]] = {"s3": {"max_concurrency": UPLOADS_AT_ONCE}}
# Answers of S3 after which the same request may succeed.
_PASSING = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "500", "502", "503", "504"})
_NO_CREDENTIALS = frozenset({"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"})


@dataclass(frozen=True, slots=True)
class Stored:
    """An object by its name below the store's root; `version` changes when its bytes do."""

    name: str
    n_bytes: int
    version: str


@dataclass(frozen=True, slots=True)
class Piece:
    """An object and where in a local file its bytes belong."""

    stored: Stored
    offset: int


class ObjectStore:
    """Objects below one URI. Every method raises ServiceUnavailable (the store does not answer; worth another try) and
    ConfigError (no such bucket, access refused)."""

    def __init__(self, uri: str) -> None:
        refuse_credentials(uri)
        self.uri = uri.rstrip("/")
        self._protocol = urlsplit(uri).scheme
        if self._protocol in _UNFIT or "::" in uri:
            raise ConfigError(
                f"workspace {uri}: {self._protocol}:// cannot be shared by the workers of a job; give a folder that "
                "all of them mount, or an object store such as s3://bucket/prefix"
            )
        self._files, self._root = _file_system(self.uri, self._protocol)

    def read(self, name: str) -> bytes | None:
        """The bytes of an object; None when there is none."""
        try:
            return bytes(self._ask(lambda: self._files.cat_file(self._path(name))))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Make or replace an object, all or nothing."""
        self._ask(lambda: self._files.pipe_file(self._path(name), content))

    def list(self, folder: str) -> list[Stored]:
        """The objects right below a folder; none when there is no such folder."""
        try:
            found = self._ask(lambda: self._files.ls(self._path(folder), detail=True))
        except FileNotFoundError:
            return []
        return [
            Stored(f"{folder}/{each['name'].rsplit('/', 1)[-1]}".lstrip("/"), int(each["size"]), _version(each))
            for each in found
            if each["type"] == "file"
        ]

    def upload(self, files: Mapping[str, Path]) -> None:
        """Copy local files to objects by name, several at once; each is replaced as a whole."""
        options = {"chunksize": PART_BYTES} if self._protocol in _OPTIONS else {}

        def put(name: str, path: Path) -> None:
            self._ask(lambda: self._files.put_file(str(path), self._path(name), **options))

        with ThreadPoolExecutor(UPLOADS_AT_ONCE, "upload") as pool:
            for done in [pool.submit(put, name, path) for name, path in files.items()]:
                done.result()

    def download(self, pieces: Sequence[Piece], path: Path) -> None:
        """Put objects side by side into a local file, in parts that travel at once; what stood there is replaced.

        Raises:
            OSError: the file cannot be written. FileNotFoundError: an object is gone.
        """
        parts = [
            (piece, lo, min(lo + PART_BYTES, piece.stored.n_bytes))
            for piece in pieces
            for lo in range(0, piece.stored.n_bytes, PART_BYTES)
        ]
        with path.open("wb") as file, ThreadPoolExecutor(AT_ONCE, "download") as pool:

            def copy(piece: Piece, lo: int, hi: int) -> None:
                name = piece.stored.name
                content = self._ask(lambda: self._files.cat_file(self._path(name), start=lo, end=hi))
                if len(content) != hi - lo:
                    raise ServiceUnavailable(f"{self.uri} gave {len(content)} of {hi - lo} bytes of {name}; try again")
                write_at(file.fileno(), content, piece.offset + lo)

            for done in [pool.submit(copy, *part) for part in parts]:
                done.result()

    def remove(self, folder: str = "") -> None:
        """Delete all objects below a folder; none need be there."""
        try:
            self._ask(lambda: self._files.rm(self._path(folder), recursive=True))
        except FileNotFoundError:
            return

    def delete(self, name: str) -> None:
        """Delete an object; it need not be there."""
        try:
            self._ask(lambda: self._files.rm_file(self._path(name)))
        except FileNotFoundError:
            return

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}".rstrip("/")

    def _ask(self, request: Callable[[], T]) -> T:
        try:
            return request()
        except FileNotFoundError as error:
            if _code(error) == "NoSuchBucket":
                raise ConfigError(
                    f"workspace {self.uri}: there is no such bucket; create it, or correct the name"
                ) from None
            raise
        except Exception as error:  # noqa: BLE001 - each store's library has errors of its own
            raise self._in_words(error) from None

    def _in_words(self, error: Exception) -> Exception:
        kind, code = type(error).__name__, _code(error)
        if isinstance(error, PermissionError):
            return ConfigError(
                f"workspace {self.uri}: access refused ({code or kind}); the role of this process must be allowed to "
                "list, read, write and delete below it"
            )
        if kind in _NO_CREDENTIALS:
            return ConfigError(
                f"workspace {self.uri}: no credentials found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give "
                "the machine a role"
            )
        if code is not None and code not in _PASSING:
            return ConfigError(
                f"workspace {self.uri}: the store refuses the request ({code}); correct its address or region"
            )
        return ServiceUnavailable(f"workspace {self.uri} does not answer ({code or kind}); try again", url=self.uri)


def holds_credentials(address: str) -> bool:
    """Whether there seems to be a user or a password before the path. No bucket has a colon; a host may have a port."""
    netloc = urlsplit(address).netloc
    _, colon, port = netloc.rpartition(":") if not netloc.endswith("]") else ("", "", "")
    return "@" in netloc or bool(colon and not port.isdecimal())


def refuse_credentials(uri: str) -> None:
    """Raise ConfigError for an address with a user, a password or a query, without repeating it."""
    parts = urlsplit(uri)
    if holds_credentials(uri) or parts.query or parts.fragment:
        raise ConfigError(
            f"the workspace's {parts.scheme}:// address must be bucket and prefix only; credentials belong into the "
            "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or into the role of the machine"
        )


def write_at(descriptor: int, content: bytes | memoryview, offset: int) -> None:
    """Write all bytes at an offset: the system may take fewer at once."""
    left = memoryview(content)
    while left:
        written = pwrite(descriptor, left, offset)
        left, offset = left[written:], offset + written


def _file_system(uri: str, protocol: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    try:
        # What other processes write must be seen at once.
        files, root = url_to_fs(uri, use_listings_cache=False, **_OPTIONS.get(protocol, {}))
    except ImportError:
        package = _PACKAGES.get(protocol, f"the fsspec package for {protocol}://")
        raise ConfigError(f"workspace {uri}: a package is missing; run `pip install '{package}'`") from None
    except ValueError:
        raise ConfigError(f"workspace {uri}: {protocol}:// is unknown; give a folder or s3://bucket/prefix") from None
    return files, root.rstrip("/")


def _version(found: Mapping[str, Any]) -> str:
    """Whatever the store tells about an object's bytes."""
    told = (found.get(key) for key in ("size", "ETag", "etag", "LastModified", "updated", "last_modified", "mtime"))
    return "|".join(str(each) for each in told if each is not None)


def _code(error: BaseException) -> str | None:
    """S3's name for what went wrong, if S3 said it."""
    for link in (error, error.__cause__):
        response = getattr(link, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", "")) or None
    return None
