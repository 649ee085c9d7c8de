"""Where the wrapped data keys lie: one small file a visit, apart from the evidence, so that they can be destroyed.

```
KEYRING/live/<visit>.json   some key of it is still kept by this machine itself (a wrap `local`)
KEYRING/kept/<visit>.json   the key store has them all
KEYRING/held/<visit>        nothing of it may be destroyed
KEYRING/shredded/<visit>    its keys were destroyed
```
RING-1  A key is durable here before anything sealed under it is durable anywhere.
RING-2  `shred` writes over a visit's file before it removes it. Copies in backups live until the root key that wrapped them
        is destroyed (`teleconsult keys rotate --destroy`).
RING-3  Losing the keyring loses every recording's content, and no recording's proof: back it up, apart from the media.
RING-4  Several recorders may share a keyring, and each has a custody chain of its own: what one of them held or shredded is
        so for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import RLock

import msgspec

from recorder.evidence.layout import is_visit
from recorder.sealing.data_key import HeldKey


class KeyringDamaged(Exception):
    """A visit's file cannot be read. The text names it."""

    code = "keyring_damaged"


class Keyring:
    """The folder. Calls block, may come from several threads, and raise `OSError`."""

    def __init__(self, folder: Path) -> None:
        self._lock = RLock()
        self._live, self._kept = folder / "live", folder / "kept"
        self._held, self._shredded = folder / "held", folder / "shredded"
        for each in (self._live, self._kept, self._held, self._shredded):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)

    def keys(self, visit: str) -> list[HeldKey]:
        """Every key of a visit; empty if there is none, or none any more. Raises `KeyringDamaged`."""
        if not is_visit(visit):
            return []
        for folder in (self._live, self._kept):
            try:
                return msgspec.json.decode((folder / f"{visit}.json").read_bytes(), type=list[HeldKey])
            except FileNotFoundError:
                continue
            except msgspec.DecodeError:
                raise KeyringDamaged(f"{folder / visit}.json is damaged") from None
        return []

    def add(self, visit: str, new: Iterable[HeldKey]) -> None:
        """Keep these too (RING-1); what is there stays."""
        with self._lock:
            known = {held.key: held for held in self.keys(visit)}
            self._put(visit, [*known.values(), *(held for held in new if held.key not in known)])

    def change(self, visit: str, how: Callable[[HeldKey], HeldKey]) -> None:
        """Keep each key of a visit as `how` says, durable on return. Raises `KeyringDamaged`."""
        with self._lock:
            if keys := self.keys(visit):
                self._put(visit, [how(held) for held in keys])

    def _put(self, visit: str, keys: list[HeldKey]) -> None:
        live = any(key.wrapped_by("local") for key in keys)
        folder, other = (self._live, self._kept) if live else (self._kept, self._live)
        path = folder / f"{visit}.json"
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(keys))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        _sync(folder)
        _destroy(other / path.name)

    def shred(self, visit: str) -> None:
        """Destroy every key of a visit (RING-2). Safe to repeat."""
        with self._lock:
            _mark(self._shredded / visit)
            for folder in (self._live, self._kept):
                for suffix in (".json", ".new"):
                    _destroy(folder / f"{visit}{suffix}")

    def is_shredded(self, visit: str) -> bool:
        """Whether its keys were destroyed, by whichever recorder (RING-4)."""
        return (self._shredded / visit).exists()

    def is_held(self, visit: str) -> bool:
        """Whether nothing of it may be destroyed, as whichever recorder was told (RING-4)."""
        return (self._held / visit).exists()

    def hold(self, visit: str, on: bool) -> None:
        """Hold it, or no more; durable on return. Safe to repeat."""
        if on:
            _mark(self._held / visit)
        else:
            (self._held / visit).unlink(missing_ok=True)
            _sync(self._held)

    def live(self) -> list[str]:
        """The visits of which this machine itself still keeps a key."""
        return sorted(path.stem for path in self._live.glob("*.json"))

    def visits(self) -> list[str]:
        """Every visit that has a key."""
        return sorted({path.stem for folder in (self._live, self._kept) for path in folder.glob("*.json")})


def _mark(path: Path) -> None:
    path.touch(mode=0o600)
    _sync(path.parent)


def _destroy(path: Path) -> None:
    try:
        with path.open("r+b") as file:
            size = os.fstat(file.fileno()).st_size
            file.write(bytes(size))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    path.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
