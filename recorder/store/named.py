"""The object store the settings name. What a store is, and its errors, is in `recorder.store.objects`."""

from __future__ import annotations

from config.settings import Settings
from recorder.store.folder import FolderStore
from recorder.store.objects import (
    DigestMismatch,
    LockNotEnforced,
    NameRefused,
    ObjectEntry,
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    PromiseShortened,
    Stored,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from recorder.store.retention import RetentionError, promised

__all__ = [
    "DigestMismatch",
    "LockNotEnforced",
    "NameRefused",
    "ObjectEntry",
    "ObjectExists",
    "ObjectMissing",
    "ObjectStore",
    "PromiseShortened",
    "StoreError",
    "StoreFull",
    "StoreRefused",
    "StoreUnavailable",
    "Stored",
    "open_store",
    "prove_store",
]


def open_store(settings: Settings) -> ObjectStore:
    """`folder` is DATA/store; `s3://bucket/prefix` with `s3_endpoint` any S3, with `store_lock` under Object Lock.

    Raises `StoreRefused` for any other word, and for a retention shorter than the jurisdiction's.
    """
    if settings.store == "folder":
        return FolderStore(settings.data / "store")
    if settings.store.startswith("s3://") and settings.store_lock:
        from recorder.store.locked import LockedStore

        try:
            kept = promised(settings.jurisdiction, settings.keep_media_days, settings.keep_evidence_days)
        except RetentionError as error:
            raise StoreRefused(str(error)) from None
        return LockedStore.promised(settings.store, settings.s3_endpoint, kept)
    if settings.store.startswith("s3://"):
        # boto3 takes 0.3 s to import: only who uses it waits for it.
        from recorder.store.s3 import S3Store

        return S3Store.at(settings.store, settings.s3_endpoint)
    raise StoreRefused("store is `folder` or `s3://bucket/prefix`")


async def prove_store(settings: Settings) -> None:
    """Open the store, see that it keeps its promises, close it. Raises `StoreRefused`, `StoreUnavailable`."""
    store = open_store(settings)
    try:
        await store.prove()
    finally:
        await store.close()
