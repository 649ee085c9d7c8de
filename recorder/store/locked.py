"""Objects in S3 under Object Lock: evidence mode. What is stored cannot be deleted, replaced or unlocked before its time.

LOCK-1  Every PUT asks for COMPLIANCE retention, by class of object (`recorder.store.retention`), with Content-MD5 and a
        signed payload. The version it makes is the answer.
LOCK-2  Nothing is stored before `prove` has seen that this store really holds its locks; a store that lets a locked version
        be deleted, or its retention be shortened, is refused (`LockNotEnforced`).
LOCK-3  Of an object that has several versions the oldest is the object: whoever overwrites or "deletes" a name afterwards
        only adds to it. Reading and listing go by versions.
LOCK-4  A PUT is never repeated blindly: its versions are listed first. One whose answer was lost, but which was applied, is
        not stored twice. So boto3 tries a PUT once, and the spool tries again.
LOCK-5  A promise of retention is itself a locked object (`retention/<days>-<days>.json`), so that it can only grow (KEEP-2).

With credentials that may not delete, a refusal proves less: then it may be the credentials that refuse, not the lock. The
retention is read back as well, but only a try by someone who may delete proves it.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from config.clock import UtcClock, iso, random_name, utc_now
from recorder.store.objects import (
    LockNotEnforced,
    ObjectEntry,
    ObjectExists,
    ObjectMissing,
    PromiseShortened,
    Stored,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from recorder.store.retention import Retention, RetentionError, refuse_shorter
from recorder.store.s3 import PAGE, UNSUPPORTED, S3Store, answered, bucket_and_prefix, client_at, said

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client
    from types_boto3_s3.literals import ObjectLockRetentionModeType as _Mode
    from types_boto3_s3.type_defs import DeleteObjectRequestTypeDef as _Delete
    from types_boto3_s3.type_defs import ListObjectVersionsOutputTypeDef as _VersionPage
    from types_boto3_s3.type_defs import PutObjectRequestTypeDef as _Put

PROBES = "lock-probe/"
CANARY = f"{PROBES}canary"
PROMISES = "retention/"
PROBE_S = 300
CLEAR_REFUSALS = {400, 403, 405, 409}
CLOCK_SLACK = timedelta(hours=1)
"""How far our clock and the store's may be apart before an earlier lock counts as too short."""


class Version(NamedTuple):
    """The oldest version of an object: what was stored first."""

    key: str
    id: str
    size: int
    modified: datetime


class LockedStore(S3Store):
    """A store below a prefix of one bucket that was made with Object Lock."""

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        prefix: str,
        retention: Retention,
        writer: S3Client | None = None,
        page: int = PAGE,
        clock: UtcClock = utc_now,
    ) -> None:
        """`writer`: a client that tries once (LOCK-4); None means `client` is one."""
        super().__init__(client, bucket, prefix, page)
        self._writer = writer or client
        self._retention = retention
        self._clock = clock
        self._proof = asyncio.Lock()
        self._proven = False
        self._compares = False
        """Whether the store holds If-None-Match, so that no second version can come into being."""

    @classmethod
    def promised(cls, url: str, endpoint: str | None, retention: Retention) -> LockedStore:
        """The store at `s3://bucket/prefix`, with this retention."""
        bucket, prefix = bucket_and_prefix(url)
        return cls(client_at(endpoint), bucket, prefix, retention, client_at(endpoint, attempts=1))

    async def prove(self) -> None:
        """See that the store holds its locks (LOCK-2), and enter our promise (LOCK-5). Once; about ten requests.

        Raises `LockNotEnforced`, `PromiseShortened`, `StoreRefused`, `StoreUnavailable`.
        """
        async with self._proof:
            if not self._proven:
                await self._call(self._prove)
                self._proven = True

    async def put(self, name: str, data: bytes | Path, sha256: str) -> Stored:
        """Store under lock (LOCK-1), once the store has proven itself (LOCK-2)."""
        key = self._key(name)
        if not self._proven:
            await self.prove()
        return await self._call(self._put, key, data, sha256)

    async def list(self, prefix: str) -> AsyncIterator[ObjectEntry]:
        """Every object that was ever stored: what somebody hid behind a delete marker too (LOCK-3)."""
        versions = self._versions(self._prefix + prefix)
        while (found := await self._call(next, versions, None)) is not None:
            yield ObjectEntry(found.key[len(self._prefix) :], found.size)

    async def folders(self, prefix: str) -> AsyncIterator[str]:
        """The next parts of the names below."""
        below = self._prefix + prefix
        names = self._common(below)
        while (found := await self._call(next, names, None)) is not None:
            yield found[len(below) :].rstrip("/")

    @property
    def limits(self) -> str:
        """What a lock is not."""
        kept = f"{self._retention.media_days} days media, {self._retention.evidence_days} days evidence"
        return f"S3 under Object Lock: {kept}; whoever runs the machines under the store can still destroy them"

    async def close(self) -> None:
        """Close the connections of both clients."""
        await super().close()
        await asyncio.to_thread(self._writer.close)

    async def extend(self, prefix: str) -> int:
        """Lengthen the retention of what was stored under a shorter promise; returns how many objects needed it."""
        versions, extended = self._versions(self._prefix + prefix), 0
        while (found := await self._call(next, versions, None)) is not None:
            extended += (await self._call(self._locked, found))[1]
        return extended

    # ---- in a thread: one object

    def _there(self, key: str, sha256: str) -> Stored | None:
        found = self._first(key)
        if found is None:
            return None
        if _sha256(self._read(found)) != sha256:
            raise ObjectExists("the name is taken by other bytes")
        return Stored(found.id, self._locked(found)[0])

    def _send(self, key: str, whole: bytes, sha256: str) -> Stored:
        until = self._retention.until(key[len(self._prefix) :], self._clock())
        made = self._lock_put(key, whole, until, sha256)
        if not self._compares and (there := self._there(key, sha256)) is not None:
            return there  # LOCK-3: of two writers at once, both learn whose was first
        return Stored(made, iso(until))

    def _lock_put(self, key: str, whole: bytes, until: datetime, sha256: str) -> str:
        md5 = base64.b64encode(hashlib.md5(whole, usedforsecurity=False).digest()).decode()
        asked: _Put = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": whole,
            "ContentMD5": md5,
            "Metadata": {"sha256": sha256},
            "ObjectLockMode": "COMPLIANCE",
            "ObjectLockRetainUntilDate": until,
        }
        if self._compares:
            asked["IfNoneMatch"] = "*"
        with said():
            done = self._writer.put_object(**asked)
        version = done.get("VersionId")
        if not version or version == "null":
            raise LockNotEnforced("the bucket keeps no versions: make one with Object Lock enabled")
        return version

    def _locked(self, found: Version) -> tuple[str, bool]:
        """Until when it is locked, and whether that had to be lengthened just now."""
        with said():
            head = self._s3.head_object(Bucket=self._bucket, Key=found.key, VersionId=found.id)
        until = head.get("ObjectLockRetainUntilDate") if head.get("ObjectLockMode") == "COMPLIANCE" else None
        wanted = self._retention.until(found.key[len(self._prefix) :], found.modified)
        if until is None or until + CLOCK_SLACK < wanted:
            self._retain(found.key, found.id, wanted)
            return iso(wanted), True
        return iso(until), False

    def _retain(self, key: str, version: str, until: datetime) -> None:
        with said():
            self._writer.put_object_retention(
                Bucket=self._bucket,
                Key=key,
                VersionId=version,
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
            )

    # ---- in a thread: reading by versions (LOCK-3)

    def _first(self, key: str) -> Version | None:
        found = next(self._versions(key), None)
        return found if found is not None and found.key == key else None

    def _oldest(self, key: str) -> Version:
        found = self._first(key)
        if found is None:
            raise ObjectMissing("no such object")
        return found

    def _head(self, key: str) -> str | None:
        return self._oldest(key).id

    def _get(self, key: str) -> bytes:
        return self._read(self._oldest(key))

    def _read(self, found: Version) -> bytes:
        with said():
            return self._s3.get_object(Bucket=self._bucket, Key=found.key, VersionId=found.id)["Body"].read()

    def _body(self, key: str, start: int, end: int | None) -> StreamingBody | None:
        found = self._oldest(key)
        if start >= found.size and (start or end is not None):
            return None
        wanted = f"bytes={start}-{'' if end is None else end - 1}"
        with said():
            if start == 0 and end is None:
                return self._s3.get_object(Bucket=self._bucket, Key=key, VersionId=found.id)["Body"]
            return self._s3.get_object(Bucket=self._bucket, Key=key, VersionId=found.id, Range=wanted)["Body"]

    def _versions(self, below: str) -> Iterator[Version]:
        """The oldest version of every key that begins so, in order. Of one key the store lists the newest first."""
        oldest: Version | None = None
        for page in self._pages(below, ""):
            for one in page.get("Versions", ()):
                found = Version(one["Key"], one["VersionId"], one["Size"], one["LastModified"].astimezone(UTC))
                if oldest is not None and oldest.key != found.key:
                    yield oldest
                oldest = found
        if oldest is not None:
            yield oldest

    def _common(self, below: str) -> Iterator[str]:
        said_already: set[str] = set()
        for page in self._pages(below, "/"):
            for one in page.get("CommonPrefixes", ()):
                if one["Prefix"] not in said_already:
                    said_already.add(one["Prefix"])
                    yield one["Prefix"]

    def _pages(self, below: str, delimiter: str) -> Iterator[_VersionPage]:
        pages = self._s3.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=below, Delimiter=delimiter, PaginationConfig={"PageSize": self._page_size}
        )
        with said():
            yield from pages

    # ---- in a thread: the proof (LOCK-2)

    def _prove(self) -> None:
        self._probe()
        self._canary()
        self._promise()
        self._sweep()

    def _probe(self) -> None:
        """Lock an object for some minutes, and try everything that must not work."""
        key = f"{self._prefix}{PROBES}{random_name(12)}"
        until = self._clock().replace(microsecond=0) + timedelta(seconds=PROBE_S)
        content = b"teleconsult tries to delete this object, and must not be able to\n"
        try:
            version = self._lock_put(key, content, until, _sha256(content))
        except StoreRefused as error:
            if isinstance(error, LockNotEnforced):
                raise
            raise StoreRefused(
                f"{error}: does the bucket exist, was it made with Object Lock, may we write to it?"
            ) from error
        probe = Version(key, version, len(content), self._clock())
        self._is_locked(probe, until)
        self._refuses_to_delete(probe, "it let a locked version be deleted")
        sooner, later = until - timedelta(seconds=PROBE_S - 60), until + timedelta(seconds=60)
        self._refuses("it let a lock be shortened", lambda: self._set(probe, "COMPLIANCE", sooner))
        self._refuses("it let a lock be made weaker", lambda: self._set(probe, "GOVERNANCE", later))
        self._compares = self._holds_conditions(key)
        with said():
            self._writer.put_object(Bucket=self._bucket, Key=key, Body=b"other bytes")
            self._writer.delete_object(Bucket=self._bucket, Key=key)
        first = self._first(key)
        if first is None or first.id != version or self._read(first) != content:
            raise LockNotEnforced("it let a locked version be replaced")
        self._is_locked(probe, until)

    def _canary(self) -> None:
        """An object locked at an earlier start: a store that forgets its locks when it is restarted is found out."""
        found = self._first(self._prefix + CANARY)
        if found is None:
            content = b"locked for good\n"
            self._send(self._prefix + CANARY, content, _sha256(content))
            return
        with said():
            head = self._s3.head_object(Bucket=self._bucket, Key=found.key, VersionId=found.id)
        until = head.get("ObjectLockRetainUntilDate")
        if until is None or until > self._clock():
            self._refuses_to_delete(found, "it let a version be deleted that was locked at an earlier start")

    def _promise(self) -> None:
        before = [
            msgspec.json.decode(self._read(one), type=Retention) for one in self._versions(self._prefix + PROMISES)
        ]
        try:
            refuse_shorter(self._retention, before)
        except RetentionError as error:
            raise PromiseShortened(str(error)) from None
        if self._retention not in before:
            content = msgspec.json.encode(self._retention)
            name = f"{PROMISES}{self._retention.media_days}-{self._retention.evidence_days}.json"
            self._put(self._prefix + name, content, _sha256(content))

    def _sweep(self) -> None:
        """Take away probes whose time is over; whatever does not go stays."""
        with suppress(StoreError):
            for page in self._pages(self._prefix + PROBES, ""):
                for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    old = self._clock() - one["LastModified"] > timedelta(seconds=PROBE_S)
                    if old and one["Key"] != self._prefix + CANARY:
                        with suppress(StoreError), said():
                            self._writer.delete_object(Bucket=self._bucket, Key=one["Key"], VersionId=one["VersionId"])

    def _is_locked(self, probe: Version, until: datetime) -> None:
        with said():
            head = self._s3.head_object(Bucket=self._bucket, Key=probe.key, VersionId=probe.id)
        kept = head.get("ObjectLockRetainUntilDate")
        if head.get("ObjectLockMode") != "COMPLIANCE" or kept is None or kept < until:
            raise LockNotEnforced("it took a lock and does not show it")

    def _refuses_to_delete(self, version: Version, otherwise: str) -> None:
        asked: _Delete = {"Bucket": self._bucket, "Key": version.key, "VersionId": version.id}
        by_right: _Delete = {**asked, "BypassGovernanceRetention": True}
        self._refuses(otherwise, lambda: self._writer.delete_object(**asked))
        self._refuses(otherwise, lambda: self._writer.delete_object(**by_right))

    def _set(self, probe: Version, mode: _Mode, until: datetime) -> object:
        return self._writer.put_object_retention(
            Bucket=self._bucket,
            Key=probe.key,
            VersionId=probe.id,
            Retention={"Mode": mode, "RetainUntilDate": until},
        )

    def _refuses(self, otherwise: str, attempt: Callable[[], object]) -> None:
        """Try it; anything but a clear refusal is an error."""
        try:
            with said():
                attempt()
        except StoreError as error:
            status, code = answered(error)
            if code in UNSUPPORTED:
                raise LockNotEnforced(f"{otherwise}, or knows no locks") from error
            if status in CLEAR_REFUSALS:
                return
            raise
        raise LockNotEnforced(otherwise)

    def _holds_conditions(self, key: str) -> bool:
        """Whether a second PUT of a taken name is refused by the store itself."""
        try:
            with said():
                self._writer.put_object(Bucket=self._bucket, Key=key, Body=b"twice", IfNoneMatch="*")
        except ObjectExists:
            return True
        except StoreUnavailable as error:
            if answered(error)[1] in UNSUPPORTED:
                return False
            raise
        return False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
