"""Secret files: made on first use, 0600, never replaced.

SECRET-1  A file is written whole and fsynced under another name, then linked into place: two processes that start at
          once agree on one secret, and a crash leaves either none or all of it.
SECRET-2  A file that others than its owner may read is refused, not mended: it may already have been read.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path


class SecretError(Exception):
    """A secret file that cannot be used."""

    code = "secret_unusable"


def secret_file(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of `path`, made with `make` if there is none yet. Raises `SecretError`, `OSError`."""
    with contextlib.suppress(FileNotFoundError):
        return _read(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(make())
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    _sync_folder(path.parent)
    return _read(path)


def secret_text(path: Path) -> str:
    """A secret of 43 URL-safe characters (256 bit), made on first use: an API key, a TURN secret."""
    return secret_file(path, lambda: f"{secrets.token_urlsafe(32)}\n".encode()).decode("ascii").strip()


def secret_key(path: Path) -> bytes:
    """32 bytes for a MAC or a cipher, made on first use; the file holds them in hex. Raises `SecretError`."""
    text = secret_file(path, lambda: f"{secrets.token_hex(32)}\n".encode())
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise SecretError(f"{path} does not hold a key in hex") from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:  # SECRET-2
            raise SecretError(f"{path} can be read by others; chmod 600 it, and consider its secret known")
        return file.read()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
