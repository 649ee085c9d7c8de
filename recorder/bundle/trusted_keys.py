"""The reader's own trust list on disk: read, and added to at the first export from an origin (KEY-2, decisions/0002)."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path

from recorder.evidence.trust import Trust, TrustListInvalid, parse_trust, trust_line
from recorder.plain_folder import read_given

MAX_LIST = 1 << 20


def trust_path(environ: Mapping[str, str] = os.environ) -> Path:
    """`TELECONSULT_TRUST`, or the user's configuration folder. It is the reader's, not the server's, so no setting."""
    named = environ.get("TELECONSULT_TRUST")
    if named:
        return Path(named).expanduser()
    folder = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(folder).expanduser() / "teleconsult" / "trusted_keys"


def readers_trust(named: Path | None, environ: Mapping[str, str] = os.environ) -> Trust:
    """The list to judge by. One that somebody named is there: who names a list must not be judged for without it.

    Raises `TrustListInvalid`, `OSError`.
    """
    path = named or trust_path(environ)
    if (named or environ.get("TELECONSULT_TRUST")) and not path.exists():
        raise TrustListInvalid(f"{path} is not there")
    return load_trust(path)


def load_trust(path: Path) -> Trust:
    """The list; an absent file is an empty one. Raises `TrustListInvalid`, `OSError`."""
    try:
        return parse_trust(read_given(path, MAX_LIST).decode("utf-8"))
    except UnicodeDecodeError:
        raise TrustListInvalid(f"{path} is not a text") from None
    except FileNotFoundError:
        return Trust()


def pin(path: Path, origin: str, fingerprint: str) -> bool:
    """Add the key of an origin not yet known.

    False if the origin is known (what is there is never changed), or names nobody. Raises `TrustListInvalid`, `OSError`.
    """
    if not (names_somebody(origin) or fingerprint[:16] in origin):
        return False
    if load_trust(path).allows(origin, fingerprint) is not None:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        if file.tell() and not path.read_bytes().endswith(b"\n"):
            file.write("\n")
        file.write(trust_line(origin, fingerprint))
    return True


def names_somebody(origin: str) -> bool:
    """Whether an origin means the same recorder everywhere: every machine is `localhost`, and many are 192.168.1.2."""
    place = origin.partition("/")[0]
    host = place[1:].partition("]")[0] if place.startswith("[") else place.rpartition(":")[0] or place
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local"))
