"""Encryption at rest: an object as a run of sealed chunks, each of which can be opened alone and none moved or cut.

```
sealed     = salt (16) ‖ commitment (32) ‖ chunk 0 ‖ chunk 1 ‖ … ‖ last chunk
chunk      = AEAD(key, nonce, up to 64 KiB of the content, associated = context) with its 16-byte tag
nonce      = prefix (7) ‖ counter (4, big-endian) ‖ last (1: 1 in the last chunk, else 0)
key ‖ prefix ‖ commitment = HKDF-SHA-256(data key, salt, info = "teleconsult-seal-v1 " ‖ suite ‖ 0 ‖ context)
```
SEAL-1  Suites: `aes256gcm` (32-byte key) and `sm4gcm` (16). The data key is random and has 32 bytes under either.
SEAL-2  The salt is random for each sealing, so sealing again (after a crash, say) never uses a nonce twice. The context names
        visit, stream and object: a sealed object opens under no other name.
SEAL-3  The commitment binds the key: GCM alone can open one ciphertext under two keys to two contents.
SEAL-4  Every chunk but the last holds exactly 64 KiB; the last one 0 to 64 KiB, and it is always there. So cutting, growing,
        reordering and joining are seen, and byte n of the content lies in chunk n / 64 KiB.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015); the key schedule is HKDF (RFC 5869).
"""

from __future__ import annotations

from collections.abc import Iterator
from hmac import compare_digest
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Suite = Literal["aes256gcm", "sm4gcm"]

CHUNK = 64 << 10
TAG = 16
SALT = 16
COMMITMENT = 32
HEAD = SALT + COMMITMENT
DATA_KEY = 32
_KEY_BYTES: dict[str, int] = {"aes256gcm": 32, "sm4gcm": 16}
_PREFIX = 7
_MOST_CHUNKS = 1 << 32


class SealBroken(Exception):
    """Not what was sealed, or not under this key and context. Nothing of the chunk in question was given out."""

    code = "seal_broken"


class Sealer:
    """One sealing's keys."""

    def __init__(self, suite: Suite, data_key: bytes, context: bytes, salt: bytes) -> None:
        """`data_key`: 32 random bytes; `context`: what names the object; `salt`: 16 random bytes (SEAL-2)."""
        if len(data_key) != DATA_KEY or len(salt) != SALT:
            raise ValueError("a data key has 32 bytes, a salt 16")
        self._suite = suite
        self._context = context
        size = _KEY_BYTES[suite]
        info = b"teleconsult-seal-v1 " + suite.encode() + b"\0" + context
        derived = HKDF(SHA256(), size + _PREFIX + COMMITMENT, salt, info).derive(data_key)
        self._key, self._prefix = derived[:size], derived[size : size + _PREFIX]
        self._aes = AESGCM(self._key)
        """Under either suite's key, and used by the one that is AES."""
        self.head = salt + derived[size + _PREFIX :]
        """The first 48 bytes of what is sealed (SEAL-3)."""

    @classmethod
    def of(cls, suite: Suite, data_key: bytes, context: bytes, sealed: bytes) -> Sealer:
        """The keys of something sealed, by its first 48 bytes. Raises `SealBroken`."""
        if len(sealed) < HEAD:
            raise SealBroken("it is cut")
        sealer = cls(suite, data_key, context, sealed[:SALT])
        if not compare_digest(sealed[:HEAD], sealer.head):
            raise SealBroken("another key, suite or context")
        return sealer

    def seal(self, content: bytes) -> bytes:
        """The whole object, sealed."""
        return b"".join(self.pieces(content))

    def pieces(self, content: bytes) -> list[bytes]:
        """The head and the chunks of the whole object, sealed."""
        count, view = max(1, -(-len(content) // CHUNK)), memoryview(content)
        chunks = (view[n * CHUNK : (n + 1) * CHUNK] for n in range(count))
        return [self.head, *(self.lock(chunk, n, n == count - 1) for n, chunk in enumerate(chunks))]

    def lock(self, piece: memoryview, number: int, last: bool) -> bytes:
        """One chunk. No number may be used twice of one sealing."""
        nonce = self._nonce(number, last)
        if self._suite == "aes256gcm":
            return self._aes.encrypt(nonce, piece, self._context)
        sealer = Cipher(algorithms.SM4(self._key), modes.GCM(nonce)).encryptor()
        sealer.authenticate_additional_data(self._context)
        return sealer.update(piece) + sealer.finalize() + sealer.tag

    def open(self, sealed: bytes) -> Iterator[bytes]:
        """The content, chunk by chunk, each one checked before it is given. Raises `SealBroken`."""
        step = CHUNK + TAG
        count = max(1, -(-(len(sealed) - HEAD) // step))
        for n in range(count):
            start = HEAD + n * step
            yield self.open_chunk(sealed[start : start + step], n, last=n == count - 1)

    def open_chunk(self, chunk: bytes, number: int, last: bool) -> bytes:
        """One chunk alone, for playing from the middle. Raises `SealBroken`."""
        if len(chunk) < TAG or (not last and len(chunk) != CHUNK + TAG) or number >= _MOST_CHUNKS:
            raise SealBroken("a chunk is cut")
        nonce = self._nonce(number, last)
        try:
            if self._suite == "aes256gcm":
                return self._aes.decrypt(nonce, chunk, self._context)
            mode = modes.GCM(nonce, chunk[-TAG:])
            opener = Cipher(algorithms.SM4(self._key), mode).decryptor()
            opener.authenticate_additional_data(self._context)
            return opener.update(chunk[:-TAG]) + opener.finalize()
        except InvalidTag:
            raise SealBroken("a chunk is not what was sealed") from None

    def _nonce(self, number: int, last: bool) -> bytes:
        return self._prefix + number.to_bytes(4, "big") + bytes([last])
