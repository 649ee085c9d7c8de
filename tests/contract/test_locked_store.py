"""Evidence mode (LOCK-1…5): against a real S3 server that holds its locks, and against a simulated one that does not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto.server import ThreadedMotoServer

from config.clock import parse_iso
from config.settings import Settings
from recorder.process import proven
from recorder.store.locked import CANARY, PROBES, PROMISES, LockedStore
from recorder.store.objects import LockNotEnforced, ObjectExists, PromiseShortened, StoreRefused, StoreUnavailable
from recorder.store.retention import Retention
from recorder.store.s3 import client_at
from tests.ceph.server import Ceph

BUCKET = "evidence-test"
DAYS = Retention(media_days=2, evidence_days=3)
SEGMENT = "recordings/v/streams/patient/part-001/seg-000001.webm"
REAL = [pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def real(ceph: Ceph) -> Any:
    """boto3's client of a real server, with a bucket that was made for locks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ceph.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", ceph.secret_key)
        client = client_at(ceph.endpoint, attempts=1)
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        client.create_bucket(Bucket="plain")
    return client


@pytest.fixture(scope="module")
def simulated() -> Iterator[Any]:
    """One that lets COMPLIANCE be shortened: what evidence mode must refuse."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        client = client_at(f"http://{host}:{port}", attempts=1)
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        client.create_bucket(Bucket="plain")
    try:
        yield client
    finally:
        server.stop()


@pytest.fixture
def store(real: Any, request: pytest.FixtureRequest) -> LockedStore:
    prefix = hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
    return LockedStore(real, BUCKET, f"{prefix}/", DAYS, page=3)


def again(store: LockedStore, retention: Retention = DAYS) -> LockedStore:
    """The same store at a later start."""
    return LockedStore(store._s3, BUCKET, store._prefix, retention)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def versions(store: LockedStore, name: str) -> list[str]:
    page = store._s3.list_object_versions(Bucket=BUCKET, Prefix=store._prefix + name)
    return [one["VersionId"] for one in page.get("Versions", ())]


class TestReal:
    pytestmark = REAL

    async def test_a_store_that_holds_its_locks_is_used_and_says_the_version(self, store: LockedStore) -> None:
        before = datetime.now(UTC)
        stored = await store.put(SEGMENT, b"x", sha256(b"x"))
        assert versions(store, SEGMENT) == [stored.version]
        assert stored.retain_until is not None
        assert parse_iso(stored.retain_until) - before >= timedelta(days=2)
        proof = await store.put("recordings/v/records/000001.jsonl", b"y", sha256(b"y"))
        assert proof.retain_until is not None
        assert parse_iso(proof.retain_until) - before >= timedelta(days=3)

    async def test_what_is_stored_can_neither_be_deleted_nor_unlocked(self, store: LockedStore) -> None:
        stored = await store.put(SEGMENT, b"x", sha256(b"x"))
        key: dict[str, Any] = {"Bucket": BUCKET, "Key": store._prefix + SEGMENT, "VersionId": stored.version}
        for attempt in (
            lambda: store._s3.delete_object(**key),
            lambda: store._s3.delete_object(**key, BypassGovernanceRetention=True),
            lambda: store._s3.put_object_retention(
                **key, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(minutes=1)}
            ),
        ):
            with pytest.raises(ClientError):
                attempt()
        assert await store.get(SEGMENT) == b"x"

    async def test_whoever_overwrites_or_deletes_a_name_only_adds_to_it(self, store: LockedStore) -> None:
        first = await store.put(SEGMENT, b"what was said", sha256(b"what was said"))
        key = store._prefix + SEGMENT
        store._s3.put_object(Bucket=BUCKET, Key=key, Body=b"what was not")
        store._s3.delete_object(Bucket=BUCKET, Key=key)
        assert await store.get(SEGMENT) == b"what was said"
        assert b"".join([piece async for piece in store.stream(SEGMENT, 5, 8)]) == b"was"
        assert [(entry.name, entry.size) async for entry in store.list("recordings/")] == [(SEGMENT, 13)]
        assert [name async for name in store.folders("recordings/")] == ["v"]
        assert await store.put(SEGMENT, b"what was said", sha256(b"what was said")) == first
        with pytest.raises(ObjectExists):
            await store.put(SEGMENT, b"what was not", sha256(b"what was not"))

    async def test_a_put_whose_answer_was_lost_is_not_doubled(
        self, store: LockedStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await store.prove()
        applied = store._writer.put_object

        def lost(**asked: Any) -> None:
            applied(**asked)
            raise ReadTimeoutError(endpoint_url="http://s3")

        with monkeypatch.context() as patch:
            patch.setattr(store._writer, "put_object", lost)
            with pytest.raises(StoreUnavailable):
                await store.put(SEGMENT, b"x", sha256(b"x"))
        stored = await store.put(SEGMENT, b"x", sha256(b"x"))
        assert versions(store, SEGMENT) == [stored.version]

    async def test_proving_leaves_a_canary_and_the_promise_and_may_be_repeated(self, store: LockedStore) -> None:
        await store.prove()
        await again(store).prove()
        names = [entry.name async for entry in store.list("")]
        assert CANARY in names
        assert f"{PROMISES}2-3.json" in names
        assert len(versions(store, CANARY)) == 1
        assert sum(name.startswith(PROBES) for name in names) == 3

    async def test_a_promise_only_grows(self, store: LockedStore) -> None:
        stored = await store.put(SEGMENT, b"x", sha256(b"x"))
        for shorter in (Retention(1, 3), Retention(2, 2)):
            with pytest.raises(PromiseShortened, match="2 days for media and 3 for evidence"):
                await again(store, shorter).prove()
        longer = again(store, Retention(10, 10))
        await longer.prove()
        assert await longer.extend("recordings/") == 1
        assert await longer.extend("recordings/") == 0
        now = await longer.put(SEGMENT, b"x", sha256(b"x"))
        assert now.version == stored.version
        assert now.retain_until is not None
        assert stored.retain_until is not None
        assert parse_iso(now.retain_until) - parse_iso(stored.retain_until) == timedelta(days=8)
        with pytest.raises(PromiseShortened):
            await again(store).prove()

    async def test_a_bucket_made_without_locks_is_refused_in_words(self, real: Any) -> None:
        with pytest.raises(StoreRefused, match="made with Object Lock"):
            await LockedStore(real, "plain", "", DAYS).put("a", b"x", sha256(b"x"))

    async def test_a_bucket_that_is_not_there_is_refused_in_words(self, real: Any) -> None:
        with pytest.raises(StoreRefused, match="does the bucket exist"):
            await LockedStore(real, "nowhere", "", DAYS).prove()

    async def test_a_lock_forgotten_since_the_last_start_is_found_out(
        self, store: LockedStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await store.prove()
        later, real_delete = again(store), store._s3.delete_object

        def forgetful(**asked: Any) -> Any:
            return {} if asked["Key"].endswith(CANARY) else real_delete(**asked)

        monkeypatch.setattr(later._writer, "delete_object", forgetful)
        with pytest.raises(LockNotEnforced, match="earlier start"):
            await later.prove()

    async def test_a_lock_that_lets_itself_be_deleted_is_refused_and_nothing_is_stored(
        self, store: LockedStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store._writer, "delete_object", lambda **_: {})
        with pytest.raises(LockNotEnforced, match="deleted"):
            await store.put(SEGMENT, b"x", sha256(b"x"))
        assert versions(store, "recordings/") == []


async def test_a_store_that_lets_a_lock_be_shortened_is_refused(simulated: Any) -> None:
    with pytest.raises(LockNotEnforced, match="shortened"):
        await LockedStore(simulated, BUCKET, "", DAYS).put("a", b"x", sha256(b"x"))


async def test_a_recorder_does_not_start_on_such_a_store(simulated: Any, tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path,
        store=f"s3://{BUCKET}/recorder",
        s3_endpoint=simulated.meta.endpoint_url,
        store_lock=True,
        jurisdiction="other",
        keep_media_days=1,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        with pytest.raises(SystemExit, match="it let a lock be shortened"):
            await proven(settings)
    with pytest.raises(SystemExit, match="keep_media_days"):
        await proven(msgspec.structs.replace(settings, keep_media_days=None))


async def test_a_simulated_bucket_without_locks_is_refused(simulated: Any) -> None:
    with pytest.raises(StoreRefused):
        await LockedStore(simulated, "plain", "", DAYS).prove()


async def test_a_store_that_is_away_is_neither_proven_nor_refused() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        store = LockedStore.promised("s3://bucket/p", "http://127.0.0.1:1", DAYS)
    with pytest.raises(StoreUnavailable):
        await store.prove()
