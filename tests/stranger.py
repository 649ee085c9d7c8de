"""A reader of sealed recordings, written from recorder/FORMAT.md §5 alone: `cryptography` primitives, no line of ours."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def hkdf(key: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869, by hand."""
    key = hmac.digest(salt or bytes(32), key, hashlib.sha256)
    out = block = b""
    for number in range(1, -(-size // 32) + 1):
        block = hmac.digest(key, block + info + bytes([number]), hashlib.sha256)
        out += block
    return out[:size]


def key_name(data_key: bytes) -> str:
    """What the record `key` calls it."""
    return hkdf(data_key, b"", b"teleconsult-key-v1", 32).hex()


def sealed_size(content: int) -> int:
    """Bytes of a content once it is sealed."""
    return 48 + content + 16 * max(1, -(-content // 65_536))


def unseal(sealed: bytes, suite: str, data_key: bytes, visit: str, name: str) -> bytes:
    """The content of a sealed object."""
    context = f"{visit}/{name}".encode()
    size = {"aes256gcm": 32, "sm4gcm": 16}[suite]
    salt, committed, body = sealed[:16], sealed[16:48], sealed[48:]
    info = b"teleconsult-seal-v1 " + suite.encode() + b"\0" + context
    derived = hkdf(data_key, salt, info, size + 7 + 32)
    assert derived[size + 7 :] == committed, "another key"
    chunks = [body[at : at + 65552] for at in range(0, len(body), 65552)]
    content = b""
    for number, chunk in enumerate(chunks):
        last = number == len(chunks) - 1
        nonce = derived[size : size + 7] + number.to_bytes(4, "big") + bytes([last])
        algorithm = algorithms.AES(derived[:size]) if suite == "aes256gcm" else algorithms.SM4(derived[:size])
        opener = Cipher(algorithm, modes.GCM(nonce, chunk[-16:])).decryptor()
        opener.authenticate_additional_data(context)
        content += opener.update(chunk[:-16]) + opener.finalize()
    return content


def play(bundle: Path, keys: dict[str, str]) -> dict[str, bytes]:
    """Each part's playable bytes, by the folder of the part."""
    files: dict[str, bytes] = {}
    key: dict[str, dict[str, str]] = {}
    for batch in sorted((bundle / "records").iterdir()):
        for record in map(json.loads, batch.read_text("utf-8").splitlines()):
            body = record["body"]
            if record["type"] == "key":
                key[body["stream"]] = body
            if record["type"] not in {"part", "segment"}:
                continue
            name = body["init"]["name"] if record["type"] == "part" else body["name"]
            under = key[body["stream"]]
            secret = bytes.fromhex(keys[under["key"]])
            assert key_name(secret) == under["key"]
            content = unseal((bundle / name).read_bytes(), under["suite"], secret, record["visit"], name)
            files[name.rpartition("/")[0]] = files.get(name.rpartition("/")[0], b"") + content
    return files
