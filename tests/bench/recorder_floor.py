"""The least that evidence asks of a recorder's process, in Python: what `recorder_process --floor` sets beside the real one.

`python -m tests.bench.recorder_floor SOCKET FOLDER` takes the tap's frames, cuts them into packets and gathers their payloads
by stream. Every 0.8 s it hashes (SHA-256 and SM3), encrypts (AES-256-GCM), writes and syncs what came, then a line in a
journal a visit; every 2 s a segment is signed (Ed25519 and SM2) and given its name in the store. One thread.

It leaves out everything else: order and loss, frames, time, WebM, coverage, keyframes, recovery, log, checkpoints and
witness, consent, control, upload by another thread. A recorder in Python that does those cannot cost less than this.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from struct import Struct

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from media.tap import Frames, Kind, TapTrack, frame
from recorder.evidence.digest import Digest
from recorder.live.service import TICK_S
from recorder.log.keys import load_or_create

SEGMENT_S = 2.0
READ_BYTES = 1 << 20
REST_S = 0.05
RTP_HEAD = 12
_HEAD = Struct("!IBQH")


class _Stream:
    """One seat's payloads: those not yet on the disk, and the segment they go to."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.number = folder, name, 0
        self.waiting: list[memoryview] = []
        self._key = AESGCM(os.urandom(32))
        self._nonces = 0
        self._open()

    def _open(self) -> None:
        self.digest, self.path = Digest(), self.folder / f"{self.name}-{self.number}"
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT)

    def write(self) -> None:
        self._nonces += 1
        sealed = self._key.encrypt(self._nonces.to_bytes(12, "big"), b"".join(self.waiting), None)
        self.waiting.clear()
        self.digest.update(sealed)
        os.pwrite(self.file, sealed, self.digest.size - len(sealed))
        os.fdatasync(self.file)

    def end(self, store: Path) -> bytes:
        """The segment's record; it is in the store."""
        os.fsync(self.file)
        os.close(self.file)
        os.link(self.path, store / f"{self.folder.name}-{self.path.name}")
        self.path.unlink()
        digest = self.digest
        record = {"stream": self.name, "n": self.number, "sha256": digest.sha256, "sm3": digest.sm3}
        self.number += 1
        self._open()
        return msgspec.json.encode(record)


def serve(path: Path, root: Path) -> None:
    """Take what one worker brings, until it goes."""
    keys = load_or_create(root / "keys" / "ed25519.pem")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(1)
    tap, _ = listening.accept()
    frames, newest = Frames(), 0
    streams: dict[int, _Stream] = {}
    journals: dict[str, int] = {}
    visits: dict[str, set[_Stream]] = {}
    (store := root / "store").mkdir()
    shelf = os.open(store, os.O_RDONLY)
    due, cut = time.monotonic() + TICK_S, time.monotonic() + SEGMENT_S
    while content := tap.recv(READ_BYTES):
        for kind, seq, body in frames.feed(content):
            if kind is Kind.PACKETS:
                view, at, end = memoryview(body), 0, len(body)
                while at < end:
                    handle, _, _, size = _HEAD.unpack_from(view, at)
                    at += _HEAD.size + size
                    streams[handle].waiting.append(view[at - size + RTP_HEAD : at])
            elif kind is Kind.TRACK and (track := msgspec.json.decode(body, type=TapTrack)).handle not in streams:
                folder = root / track.visit
                if track.visit not in visits:
                    folder.mkdir()
                    visits[track.visit] = set()
                    journals[track.visit] = os.open(folder / "journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                shared = next((one for one in visits[track.visit] if one.name == track.seat), None)
                streams[track.handle] = stream = shared or _Stream(folder, track.seat)
                visits[track.visit].add(stream)
            newest = max(newest, seq)
        now = time.monotonic()
        if now >= due:
            due = now + TICK_S
            over = now >= cut
            cut = now + SEGMENT_S if over else cut
            for visit, written in visits.items():
                lines: list[bytes] = []
                for stream in written:
                    if stream.waiting:
                        stream.write()
                    if over:
                        record = stream.end(store)
                        lines += [record, *(one.sig for one in keys.sign(record))]
                os.write(journals[visit], b"|".join(lines) + b"\n")
                os.fdatasync(journals[visit])
            if over:
                os.fsync(shelf)
            tap.sendall(frame(Kind.ACK, newest))
        time.sleep(REST_S)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
