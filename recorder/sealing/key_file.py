"""The file of a recording's data keys, as an auditor is handed it: JSON, apart from the bundle it opens (FORMAT.md §5).

```json
{"format": "teleconsult-keys/1", "visit": "Vb3k", "keys": {"<key, 64 hex digits>": "<the data key, 64 hex digits>"}}
```
KEYFILE-1  Each key is checked against its name before it is used, so a wrong or changed file opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from recorder.sealing.data_key import is_of

MAX_KEY_FILE = 1 << 20


class KeyFileWrong(Exception):
    """No file of data keys, or one that was changed. The text says which."""

    code = "key_file_wrong"


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says. `keys`: name → data key, hex."""

    visit: str
    keys: dict[str, str]
    format: Literal["teleconsult-keys/1"]


def write_keys(visit: str, secrets: Mapping[str, bytes]) -> bytes:
    """The file."""
    said = KeyFile(visit, {key: secret.hex() for key, secret in secrets.items()}, "teleconsult-keys/1")
    return msgspec.json.format(msgspec.json.encode(said)) + b"\n"


def read_keys(content: bytes) -> dict[str, bytes]:
    """Name → data key (KEYFILE-1). Raises `KeyFileWrong`."""
    if content.startswith((b"age-encryption.org/", b"-----BEGIN AGE")):
        raise KeyFileWrong("this file is still encrypted: open it first with `age -d -i YOUR_KEY`")
    try:
        said = msgspec.json.decode(content, type=KeyFile)
        secrets = {key: bytes.fromhex(secret) for key, secret in said.keys.items()}
    except (msgspec.MsgspecError, ValueError):
        raise KeyFileWrong("this is no file of data keys") from None
    if not all(is_of(key, secret) for key, secret in secrets.items()):
        raise KeyFileWrong("a key in the file is not the key of its name")
    return secrets
