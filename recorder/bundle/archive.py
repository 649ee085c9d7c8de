"""A bundle as one ZIP file, written as it is read: nothing is kept, nothing is compressed (media is already).

The archive holds one folder, named after the visit; unpacked, that folder is what `teleconsult verify` takes. Beside it, and
not in it, may stand the file of its keys: what is proven needs none.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import msgspec

from recorder.bundle.texts import readme_en, readme_zh, verifiers
from recorder.evidence import layout
from recorder.evidence.logged import cosigned_only_by
from recorder.evidence.manifest import ManifestInvalid, parse_manifest
from recorder.evidence.receipt import make_receipt
from recorder.evidence.sign import public_key
from recorder.store.holdings import Held, Holdings
from recorder.store.objects import ObjectMissing


class _Outbox(io.RawIOBase):
    """What the archive has written and nobody has taken yet. Not seekable, so the archive never looks back."""

    def __init__(self) -> None:
        self._pieces = bytearray()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: object, /) -> int:
        """Keep until taken."""
        piece = memoryview(data)  # type: ignore[arg-type]
        self._pieces += piece
        return piece.nbytes

    def take(self) -> bytes:
        """Everything written since the last time."""
        taken = bytes(self._pieces)
        self._pieces.clear()
        return taken


async def zipped(holdings: Holdings, held: Held, beside: Mapping[str, bytes]) -> AsyncIterator[bytes]:
    """The archive in pieces; `beside`: files that stand beside the bundle. Raises `StoreError`."""
    outbox = _Outbox()
    with ZipFile(outbox, "w", ZIP_STORED) as archive:
        for name, content in beside.items():
            archive.writestr(_plain(name, 0o100600), content)
        for name, text in texts(held).items():
            archive.writestr(_member(held.visit, name), text)
        for name in held.sizes:
            with archive.open(_member(held.visit, name), "w") as member:
                async for piece in holdings.stream(held.visit, name):
                    member.write(piece)
                    yield outbox.take()
            yield outbox.take()
        for name, text in (await manifest_of(holdings, held)).items():
            archive.writestr(_member(held.visit, name), text)
    yield outbox.take()


async def manifest_of(holdings: Holdings, held: Held) -> dict[str, bytes]:
    """The manifest of the visit's day and its proof, once the store has both (FORMAT.md §8). Raises `StoreError`."""
    opened, (_, key) = held.ledger.opened_at, signer(held)
    if opened is None or key is None:
        return {}
    name = f"manifests/{key[:16]}/{opened[:10]}"
    try:
        data, proof = await holdings.stored(f"{name}.jsonl"), await holdings.stored(f"{name}.tlog-proof")
        if parse_manifest(data).entry(held.visit) is None:
            return {}
    except (ObjectMissing, ManifestInvalid):
        return {}
    return {layout.MANIFEST: data, layout.MANIFEST_PROOF: cosigned_only_by(proof, _witnesses(held))}


async def receipt_of(holdings: Holdings, held: Held) -> bytes | None:
    """The receipt of a closed recording, once the log has its end (FORMAT.md §8). Raises `StoreError`."""
    opened, (_, key) = held.ledger.opened, signer(held)
    if opened is None or key is None or not held.closed:
        return None
    try:  # asked of the disk: what is known of a closed recording may be older than its proof
        proof = await holdings.get(held.visit, layout.PROOF)
    except ObjectMissing:
        return None
    batches = [name for name in held.sizes if name.startswith("records/")]
    last = (await holdings.get(held.visit, max(batches))).splitlines()[-1]
    pem = await holdings.get(held.visit, layout.key_name(key))
    return make_receipt(proof, last, public_key(pem), _witnesses(held))


def texts(held: Held) -> dict[str, bytes]:
    """What a bundle adds to the evidence (FORMAT.md §2)."""
    origin, key = signer(held)
    about = {"bundle": "teleconsult-bundle/1", "visit": held.visit, "origin": origin, "key": key}
    return {
        "README.en.md": readme_en(held.visit, origin, key).encode(),
        "README.zh.md": readme_zh(held.visit, origin, key).encode(),
        "bundle.json": msgspec.json.format(msgspec.json.encode(about)) + b"\n",
        **verifiers(),
    }


def signer(held: Held) -> tuple[str | None, str | None]:
    """The origin and the Ed25519 fingerprint that `open` names."""
    opened = held.ledger.opened
    if opened is None:
        return None, None
    keys = [named.key for named in opened.keys if named.alg == "ed25519"]
    return opened.origin, keys[0] if keys else None


def _witnesses(held: Held) -> list[str]:
    opened = held.ledger.opened
    return (opened.witnesses or []) if opened is not None else []


def _member(visit: str, name: str) -> ZipInfo:
    return _plain(f"{visit}/{name}", 0o100644)


def _plain(path: str, mode: int) -> ZipInfo:
    member = ZipInfo(path)
    member.external_attr = mode << 16
    return member
