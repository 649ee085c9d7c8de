"""The object store the settings name. What a store is, and its errors, is in `recorder.objects`."""

from __future__ import annotations

from config.settings import Settings
from recorder.objects import (
    DigestMismatch,
    NameRefused,
    ObjectEntry,
    ObjectExists,
    ObjectMissing,
    ObjectStore,
    Stored,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from recorder.store_folder import FolderStore

__all__ = [
    "DigestMismatch",
    "NameRefused",
    "ObjectEntry",
    "ObjectExists",
    "ObjectMissing",
    "ObjectStore",
    "StoreError",
    "StoreFull",
    "StoreRefused",
    "StoreUnavailable",
    "Stored",
    "open_store",
]


def open_store(settings: Settings) -> ObjectStore:
    """`folder` is DATA/store; `s3://bucket/prefix` with `s3_endpoint` any S3. Raises `StoreRefused` for any other word."""
    if settings.store == "folder":
        return FolderStore(settings.data / "store")
    if settings.store.startswith("s3://"):
        # boto3 takes 0.3 s to import: only who uses it waits for it.
        from recorder.store_s3 import S3Store

        return S3Store.at(settings.store, settings.s3_endpoint)
    raise StoreRefused("store is `folder` or `s3://bucket/prefix`")
