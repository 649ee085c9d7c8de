"""Objects in S3, or in anything that speaks it. boto3 blocks, so each call runs in a thread.

Checksums only where required and signed payloads with Content-MD5: what S3's many clones understand (boto3's own default
since 1.36 is refused by several). Retries are few and bounded: the recorder's spool does the long waiting.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from recorder.store.objects import (
    CHUNK,
    DigestMismatch,
    ObjectEntry,
    ObjectExists,
    ObjectMissing,
    Stored,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    checked,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONNECT_TIMEOUT_S = 3
READ_TIMEOUT_S = 10
ATTEMPTS = 3
THREADS = 24
"""Our own: a store that hangs must not take the threads that write the spool."""
PAGE = 1000
"""Keys a listing asks for at a time; S3 gives no more."""

_Given = ParamSpec("_Given")
_Got = TypeVar("_Got")
_Page = tuple[list[ObjectEntry], list[str], str | None]

_MISSING = {"404", "NoSuchKey", "NotFound"}
_TAKEN = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
UNSUPPORTED = {"501", "NotImplemented"}
_REFUSED = {"400", "401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket"}


def bucket_and_prefix(url: str) -> tuple[str, str]:
    """The two halves of `s3://bucket/prefix`; the prefix is empty or ends in `/`. Raises `StoreRefused`."""
    bucket, _, prefix = url.removeprefix("s3://").strip("/").partition("/")
    if not bucket:
        raise StoreRefused("store names no bucket: s3://bucket/prefix")
    return bucket, f"{prefix}/" if prefix else ""


def client_at(endpoint: str | None, attempts: int = ATTEMPTS) -> S3Client:
    """boto3's client; `attempts` counts the first."""
    config = Config(
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": attempts, "mode": "standard"},
        max_pool_connections=THREADS,
        s3={"payload_signing_enabled": True, "addressing_style": "path" if endpoint else "auto"},
    )
    with said():
        return boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)


class S3Store:
    """A store below a prefix of one bucket."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "", page: int = PAGE) -> None:
        """`prefix` is empty or ends in `/`."""
        self._s3 = client
        self._bucket = bucket
        self._prefix = prefix
        self._page_size = page
        self._conditional = True
        self._threads = ThreadPoolExecutor(THREADS, "s3")

    @classmethod
    def at(cls, url: str, endpoint: str | None) -> S3Store:
        """The store at `s3://bucket/prefix`. Credentials and region come the way of every AWS tool."""
        bucket, prefix = bucket_and_prefix(url)
        return cls(client_at(endpoint), bucket, prefix)

    async def put(self, name: str, data: bytes | Path, sha256: str) -> Stored:
        """One PUT, unless the object is there already (STORE-1…3)."""
        return await self._call(self._put, self._key(name), data, sha256)

    async def get(self, name: str) -> bytes:
        """Read whole."""
        return await self._call(self._get, self._key(name))

    async def stream(self, name: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read in pieces, from one GET."""
        key = self._key(name)
        if end is not None and end <= start:
            await self._call(self._head, key)
            return
        body = await self._call(self._body, key, start, end)
        if body is None:
            return
        try:
            while piece := await self._call(_read, body):
                yield piece
        finally:
            body.close()

    async def list(self, prefix: str) -> AsyncIterator[ObjectEntry]:
        """Page by page."""
        token: str | None = None
        while True:
            entries, _, token = await self._call(self._page, prefix, "", token)
            for entry in entries:
                yield entry
            if token is None:
                return

    async def folders(self, prefix: str) -> AsyncIterator[str]:
        """Common prefixes, page by page."""
        token: str | None = None
        while True:
            _, folders, token = await self._call(self._page, prefix, "/", token)
            for folder in folders:
                yield folder
            if token is None:
                return

    async def prove(self) -> None:
        """Without locks there is nothing to prove."""

    async def close(self) -> None:
        """Close the connections."""
        await asyncio.to_thread(self._s3.close)
        self._threads.shutdown(wait=False)

    @property
    def limits(self) -> str:
        """The keys' power."""
        return "S3 without locks: whoever has the bucket's keys can delete; store_lock = true asks for Object Lock"

    async def _call(self, does: Callable[_Given, _Got], *given: _Given.args, **named: _Given.kwargs) -> _Got:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(does, *given, **named))

    # ---- in a thread

    def _key(self, name: str) -> str:
        return self._prefix + checked(name)

    def _put(self, key: str, data: bytes | Path, sha256: str) -> Stored:
        whole = data.read_bytes() if isinstance(data, Path) else data
        if hashlib.sha256(whole).hexdigest() != sha256:
            raise DigestMismatch("the bytes are not those of the hash given")
        # Looking first, because not every clone honours If-None-Match: one that ignores it would replace.
        there = self._there(key, sha256)
        if there is not None:
            return there
        try:
            return self._send(key, whole, sha256)
        except ObjectExists:
            # Somebody was quicker, or our own PUT was applied and its answer lost.
            there = self._there(key, sha256)
            if there is None:
                raise StoreUnavailable("the object was there and is not") from None
            return there

    def _there(self, key: str, sha256: str) -> Stored | None:
        """The object, if it has these bytes; None if there is none. Raises `ObjectExists`."""
        try:
            found = self._head(key)
        except ObjectMissing:
            return None
        # Metadata is only what a writer said: the bytes decide.
        if hashlib.sha256(self._get(key)).hexdigest() != sha256:
            raise ObjectExists("the name is taken by other bytes")
        return Stored(found)

    def _send(self, key: str, whole: bytes, sha256: str) -> Stored:
        md5 = base64.b64encode(hashlib.md5(whole, usedforsecurity=False).digest()).decode()
        with said():
            if self._conditional:
                try:
                    done = self._s3.put_object(
                        Bucket=self._bucket,
                        Key=key,
                        Body=whole,
                        ContentMD5=md5,
                        Metadata={"sha256": sha256},
                        IfNoneMatch="*",
                    )
                    return Stored(done.get("VersionId"))
                except ClientError as error:
                    if _code(error) not in UNSUPPORTED:
                        raise
                    self._conditional = False
            done = self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=whole, ContentMD5=md5, Metadata={"sha256": sha256}
            )
            return Stored(done.get("VersionId"))

    def _head(self, key: str) -> str | None:
        with said():
            return self._s3.head_object(Bucket=self._bucket, Key=key).get("VersionId")

    def _get(self, key: str) -> bytes:
        with said():
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def _body(self, key: str, start: int, end: int | None) -> _Body | None:
        wanted = f"bytes={start}-{'' if end is None else end - 1}"
        with said():
            try:
                if start == 0 and end is None:  # an empty object has no range
                    return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
                return self._s3.get_object(Bucket=self._bucket, Key=key, Range=wanted)["Body"]
            except ClientError as error:
                if _code(error) in {"416", "InvalidRange"}:
                    return None
                raise

    def _page(self, prefix: str, delimiter: str, token: str | None) -> _Page:
        below = self._prefix + prefix
        with said():
            if token is None:
                page = self._s3.list_objects_v2(
                    Bucket=self._bucket, Prefix=below, Delimiter=delimiter, MaxKeys=self._page_size
                )
            else:
                page = self._s3.list_objects_v2(
                    Bucket=self._bucket,
                    Prefix=below,
                    Delimiter=delimiter,
                    MaxKeys=self._page_size,
                    ContinuationToken=token,
                )
        cut = len(self._prefix)
        entries = [ObjectEntry(one["Key"][cut:], one["Size"]) for one in page.get("Contents", ())]
        folders = [one["Prefix"][len(below) :].rstrip("/") for one in page.get("CommonPrefixes", ())]
        return entries, folders, page.get("NextContinuationToken")


if TYPE_CHECKING:
    from botocore.response import StreamingBody as _Body


def _read(body: _Body) -> bytes:
    with said():
        return body.read(CHUNK)


def answered(error: StoreError) -> tuple[int, str]:
    """The HTTP status and S3's word behind an error of `said`; (0, "") if S3 did not answer."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return 0, ""
    return cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0), _code(cause)


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def said() -> Iterator[None]:
    """boto3's errors as the store's own."""
    try:
        yield
    except ClientError as error:
        code = _code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _MISSING:
            raise ObjectMissing("no such object") from error
        if code in _TAKEN:
            raise ObjectExists("the name is taken") from error
        if status == 507 or code == "XMinioStorageFull":
            raise StoreFull("no space left") from error
        if code in _REFUSED or status in {400, 401, 403}:
            raise StoreRefused(f"S3 refuses: {code}") from error
        raise StoreUnavailable(f"S3 cannot now: {code}") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StoreRefused("no S3 credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") from error
    except (BotoCoreError, ValueError) as error:
        raise StoreUnavailable(f"S3 cannot be reached: {type(error).__name__}") from error
