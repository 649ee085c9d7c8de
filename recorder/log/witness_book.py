"""What a witness remembers: the newest checkpoint of each log it watches; and its key.

It needs nothing of a recorder but the log's public key, and sees nothing of a visit but how many records there are. Its
folder: `key.pem`, `logs` (one verifier key of C2SP signed-note a line, `#` begins a comment), and `seen/`, a file a log.

WIT-1, WIT-2, WIT-3: `recorder.evidence.witnessing`.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

from recorder.evidence.checkpoint import (
    Checkpoint,
    NoteKey,
    NoteSignature,
    cosign,
    parse_checkpoint,
    parse_note,
    parse_vkey,
)
from recorder.evidence.sign import Signer
from recorder.evidence.witnessing import judge, parse_submission
from recorder.log.keys import load_or_create
from recorder.log.site_log import replace


class WitnessBook:
    """What a witness remembers, and its key. Blocks; may be asked from several threads."""

    def __init__(self, folder: Path, name: str, signer: Signer, clock: Callable[[], float] = time.time) -> None:
        """`clock`: Unix seconds; it stands in every cosignature."""
        (folder / "seen").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._signer = signer
        self._clock = clock
        self._lock = threading.Lock()
        self.key = NoteKey(name, signer.public_keys[0], "cosignature")

    def add(self, body: bytes, known: tuple[NoteKey, ...] | None = None) -> NoteSignature:
        """Answer `add-checkpoint`. `known`: the logs' keys, those of the list if None. Raises `WitnessRefused`, `OSError`."""
        submission = parse_submission(body)
        keys = self.logs() if known is None else known
        with self._lock:  # or a slower submission could set a faster one back
            path = self._folder / "seen" / hashlib.sha256(submission.checkpoint.origin.encode()).hexdigest()
            judge(submission, keys, self._seen(path))
            replace(path, submission.note.encoded)  # WIT-3
        return cosign(submission.note.text, self.key, int(self._clock()), lambda text: self._signer.sign(text)[0].sig)

    def logs(self) -> tuple[NoteKey, ...]:
        """The keys of the logs it watches; read anew each time, so that adding one needs no restart."""
        try:
            lines = (self._folder / "logs").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return ()
        words = (line.partition("#")[0].strip() for line in lines)
        return tuple(parse_vkey(word) for word in words if word)

    def _seen(self, path: Path) -> Checkpoint | None:
        # What cannot be read must not count as nothing seen: that would let a log begin anew.
        try:
            return parse_checkpoint(parse_note(path.read_bytes()).text)
        except FileNotFoundError:
            return None


def open_book(folder: Path, name: str) -> WitnessBook:
    """The witness in this folder, its key made if there is none. Raises `KeyFileInvalid`, `OSError`."""
    signer = load_or_create(folder / "key.pem")
    return WitnessBook(folder, f"{name}/{signer.fingerprint[:16]}", signer)
