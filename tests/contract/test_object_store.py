"""What every object store must do (STORE-1…3), held by the folder, by a simulated S3 and by a real one alike."""

from __future__ import annotations

import asyncio
import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError, ReadTimeoutError
from moto.server import ThreadedMotoServer

from recorder.store.folder import FolderStore
from recorder.store.locked import LockedStore
from recorder.store.objects import (
    DigestMismatch,
    NameRefused,
    ObjectEntry,
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from recorder.store.retention import Retention
from recorder.store.s3 import S3Store
from tests.ceph.server import Ceph

BUCKET = "recordings-test"
LOCKED = "locked-test"
DAYS = Retention(media_days=1, evidence_days=1)


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture(scope="module")
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="module")
def bucket(s3_endpoint: str, credentials: None) -> S3Store:
    """One client for all tests: making one takes a third of a second."""
    store = S3Store.at(f"s3://{BUCKET}", s3_endpoint)
    store._s3.create_bucket(Bucket=BUCKET)
    return store


@pytest.fixture(scope="module")
def ceph_bucket(ceph: Ceph) -> S3Store:
    """A bucket of a real server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", ceph.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", ceph.secret_key)
        store = S3Store.at(f"s3://{BUCKET}", ceph.endpoint)
        store._s3.create_bucket(Bucket=BUCKET)
    return store


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ceph_locked(ceph: Ceph, ceph_bucket: S3Store) -> LockedStore:
    """A bucket with locks that has proven itself."""
    ceph_bucket._s3.create_bucket(Bucket=LOCKED, ObjectLockEnabledForBucket=True)
    store = LockedStore(ceph_bucket._s3, LOCKED, "", DAYS)
    await store.prove()
    return store


REAL = (pytest.mark.network, pytest.mark.slow, pytest.mark.timeout(600))
"""The first test to ask for Ceph downloads it (once a checkout) and starts it."""


@pytest.fixture(params=["folder", "s3", pytest.param("ceph", marks=REAL), pytest.param("ceph-locked", marks=REAL)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    # A prefix of its own for each test keeps them apart in one bucket; small pages, so that listings have several.
    prefix = hashlib.sha256(request.node.name.encode()).hexdigest()[:16]
    if request.param == "ceph-locked":
        proven: LockedStore = request.getfixturevalue("ceph_locked")
        made = LockedStore(proven._s3, LOCKED, f"{prefix}/", DAYS, page=3)
        made._proven = proven._proven
        return made
    bucket: S3Store = request.getfixturevalue("bucket" if request.param == "s3" else "ceph_bucket")
    return S3Store(bucket._s3, BUCKET, f"{prefix}/", page=3)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def put(store: ObjectStore, name: str, data: bytes) -> None:
    await store.put(name, data, sha256(data))


async def test_what_was_put_is_got(store: ObjectStore) -> None:
    await put(store, "recordings/v1/records/000001.jsonl", b"a line\n")
    assert await store.get("recordings/v1/records/000001.jsonl") == b"a line\n"


async def test_a_file_is_put_by_its_path(store: ObjectStore, tmp_path: Path) -> None:
    spooled = tmp_path / "spooled"
    spooled.write_bytes(bytes(range(256)) * 4000)
    await store.put("seg", spooled, sha256(spooled.read_bytes()))
    assert await store.get("seg") == spooled.read_bytes()


async def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    await put(store, "empty", b"")
    assert await store.get("empty") == b""
    assert [piece async for piece in store.stream("empty")] == []
    assert [entry async for entry in store.list("")] == [ObjectEntry("empty", 0)]


async def test_the_same_bytes_may_be_put_again(store: ObjectStore) -> None:
    first = await store.put("a/b", b"same", sha256(b"same"))
    assert await store.put("a/b", b"same", sha256(b"same")) == first
    assert [entry async for entry in store.list("")] == [ObjectEntry("a/b", 4)]


async def test_other_bytes_under_a_taken_name_are_refused_and_change_nothing(store: ObjectStore) -> None:
    await put(store, "a/b", b"first")
    with pytest.raises(ObjectExists):
        await put(store, "a/b", b"second")
    assert await store.get("a/b") == b"first"


async def test_two_writers_at_once_leave_one_whole_object(store: ObjectStore) -> None:
    offered = [bytes([n]) * 100_000 for n in range(4)]
    done = await asyncio.gather(*(put(store, "contested", data) for data in offered), return_exceptions=True)
    assert await store.get("contested") in offered
    assert all(result is None or isinstance(result, ObjectExists) for result in done)
    if isinstance(store, FolderStore | LockedStore):  # without locks neither moto nor Ceph 16 tells the writers apart
        assert done.count(None) == 1


async def test_bytes_that_are_not_those_of_the_hash_never_become_visible(store: ObjectStore) -> None:
    with pytest.raises(DigestMismatch):
        await store.put("a/b", b"spoiled", sha256(b"sound"))
    assert [entry async for entry in store.list("")] == []
    with pytest.raises(ObjectMissing):
        await store.get("a/b")


async def test_a_range_is_streamed_and_no_more(store: ObjectStore) -> None:
    data = bytes(n % 251 for n in range(700_000))
    await put(store, "big", data)
    for start, end in (
        (0, None),
        (0, 10),
        (5, 300_000),
        (262_143, 262_145),
        (699_999, None),
        (10, 10),
        (700_000, None),
    ):
        got = b"".join([piece async for piece in store.stream("big", start, end)])
        assert got == data[start:end], (start, end)


async def test_a_range_past_the_end_stops_at_the_end(store: ObjectStore) -> None:
    await put(store, "short", b"0123456789")
    assert b"".join([piece async for piece in store.stream("short", 5, 50)]) == b"56789"
    assert b"".join([piece async for piece in store.stream("short", 50, 60)]) == b""


async def test_a_missing_object_says_so(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        await store.get("nothing/here")
    with pytest.raises(ObjectMissing):
        await anext(store.stream("nothing/here"))
    await put(store, "nothing/here", b"now")
    with pytest.raises(ObjectMissing):
        await store.get("nothing")


async def test_a_listing_is_in_order_and_keeps_to_its_prefix(store: ObjectStore) -> None:
    names = ["recordings/a/x", "recordings/a-b/x", "recordings/a/y/z", "recordings/ab", "recordings/b/1", "other"]
    for name in names:
        await put(store, name, name.encode())
    assert [entry.name async for entry in store.list("")] == sorted(names)
    assert [entry.name async for entry in store.list("recordings/a/")] == ["recordings/a/x", "recordings/a/y/z"]
    assert [entry.name async for entry in store.list("recordings/a")] == sorted(n for n in names if "/a" in n)
    assert [entry async for entry in store.list("nowhere/")] == []
    assert {entry.name: entry.size async for entry in store.list("other")} == {"other": 5}


async def test_folders_are_the_next_parts_below(store: ObjectStore) -> None:
    for name in ("recordings/v2/a/b", "recordings/v1/a", "recordings/loose", "top"):
        await put(store, name, b"x")
    assert [name async for name in store.folders("recordings/")] == ["v1", "v2"]
    assert [name async for name in store.folders("")] == ["recordings"]
    assert [name async for name in store.folders("nowhere/")] == []


async def test_a_listing_longer_than_a_page_is_whole(store: ObjectStore) -> None:
    names = [f"many/{n:02d}/x" for n in range(11)]
    for name in names:
        await put(store, name, b"")
    assert [entry.name async for entry in store.list("many/")] == names
    assert [name async for name in store.folders("many/")] == [f"{n:02d}" for n in range(11)]


@pytest.mark.parametrize(
    "name", ["", "/abs", "a/../b", "..", "a//b", "a/", ".hidden", "a/.draft-1", "a\\b", "a b", "é", "a\n"]
)
async def test_a_name_that_could_leave_the_store_is_refused(store: ObjectStore, name: str) -> None:
    with pytest.raises(NameRefused):
        await put(store, name, b"x")
    with pytest.raises(NameRefused):
        await store.get(name)


async def test_a_folder_store_keeps_its_files_to_itself(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    await put(store, "a/b", b"x")
    assert (tmp_path / "store/a/b").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "store/a").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "store/a").iterdir()] == ["b"]  # no draft left
    left = tmp_path / "store/.drafts/1-0"
    left.write_bytes(b"half")  # by a recorder that was killed
    await FolderStore(tmp_path / "store").prove()
    assert not left.exists()


async def test_a_folder_store_never_shows_a_link(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    await put(store, "a/b", b"x")
    (tmp_path / "a/c").symlink_to(tmp_path / "a/b")
    assert [entry.name async for entry in store.list("")] == ["a/b"]


async def test_a_folder_that_cannot_be_used_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreRefused):
        await put(FolderStore(tmp_path / "file"), "a/b", b"x")


@pytest.mark.usefixtures("credentials")
async def test_an_s3_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        await S3Store.at("s3://bucket", "http://127.0.0.1:1").get("a")
    closed = S3Store.at("s3://bucket", "http://127.0.0.1:1")
    await closed.close()
    await closed.close()


@pytest.mark.usefixtures("credentials")
async def test_a_bucket_that_is_not_there_is_refused(s3_endpoint: str) -> None:
    with pytest.raises(StoreRefused):
        await put(S3Store.at("s3://no-such-bucket", s3_endpoint), "a", b"x")


async def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    await put(store, "a/first", b"x")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr("recorder.store.folder.os.fsync", full)
        with pytest.raises(StoreFull):
            await put(store, "a/second", b"y")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["first"]
    await put(store, "a/second", b"y")


async def test_a_folder_without_hard_links_still_never_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr("recorder.store.folder.os.link", refused)
    store = FolderStore(tmp_path)
    await put(store, "a", b"first")
    await put(store, "a", b"first")
    with pytest.raises(ObjectExists):
        await put(store, "a", b"second")
    assert await store.get("a") == b"first"


async def test_a_put_whose_answer_was_lost_is_safe_to_repeat(bucket: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store = S3Store(bucket._s3, BUCKET, "lost/")
    applied = bucket._s3.put_object

    def lost(**asked: Any) -> None:
        applied(**asked)
        raise ReadTimeoutError(endpoint_url="http://s3")

    with monkeypatch.context() as patch:
        patch.setattr(bucket._s3, "put_object", lost)
        with pytest.raises(StoreUnavailable):
            await put(store, "a", b"x")
    await put(store, "a", b"x")
    with pytest.raises(ObjectExists):
        await put(store, "a", b"y")


async def test_a_store_that_knows_no_conditions_is_still_written_to(
    bucket: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = S3Store(bucket._s3, BUCKET, "plain/")
    applied = bucket._s3.put_object

    def plain(**asked: Any) -> Any:
        if "IfNoneMatch" in asked:
            raise ClientError({"Error": {"Code": "NotImplemented"}}, "PutObject")
        return applied(**asked)

    monkeypatch.setattr(bucket._s3, "put_object", plain)
    await put(store, "a", b"x")
    assert await store.get("a") == b"x"
