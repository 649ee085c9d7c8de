"""Photos on disk: a folder a visit, encrypted, readable by this service alone.

FILE-1  A photo is there whole or not at all: written beside its place, synced, renamed, and the folder synced.
FILE-2  It is encrypted with AES-256-GCM under the deployment's own key, and bound to its visit and name: a file that was
        exchanged for another does not open.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from config.clock import random_bytes
from signaling.ports import StoreAway

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class FolderPhotos:
    """Implements `ports.PhotoFiles`; `key` has 32 bytes."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key

    async def put(self, visit: str, photo: str, data: bytes) -> None:
        """See the port."""
        try:
            await asyncio.to_thread(self._put, visit, photo, data)
        except OSError as error:
            raise StoreAway(type(error).__name__) from error

    async def get(self, visit: str, photo: str) -> bytes | None:
        """See the port."""
        try:
            return await asyncio.to_thread(self._get, visit, photo)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreAway(type(error).__name__) from error

    async def drop(self, visit: str, photo: str) -> None:
        """See the port."""
        try:
            await asyncio.to_thread((self._folder / visit / photo).unlink, missing_ok=True)
        except OSError as error:
            raise StoreAway(type(error).__name__) from error

    def _put(self, visit: str, photo: str, data: bytes) -> None:
        folder = self._folder / visit
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        nonce = random_bytes(NONCE_BYTES)
        sealed = nonce + self._cipher().encrypt(nonce, data, _bound(visit, photo))
        beside = folder / f"{photo}.part"
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(folder / photo)
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    def _get(self, visit: str, photo: str) -> bytes:
        from cryptography.exceptions import InvalidTag

        sealed = (self._folder / visit / photo).read_bytes()
        try:
            return self._cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound(visit, photo))
        except InvalidTag:
            raise StoreAway("a photo that does not open") from None

    def _cipher(self) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import (
            AESGCM,  # slow to import, needed only once somebody sends a photo
        )

        return AESGCM(self._key)


def _bound(visit: str, photo: str) -> bytes:
    return f"{visit}/{photo}".encode()
