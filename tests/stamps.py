"""Recordings with everything that others say of them: a log, witnesses, timestamps of a real authority, a day's manifest."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from recorder.evidence.checkpoint import Checkpoint, Note, NoteKey, sign
from recorder.evidence.layout import CLOSE_STAMP, MANIFEST, MANIFEST_PROOF, PROOF, stamp_name
from recorder.evidence.manifest import Entry, Receipt, make_manifest, visit_hash
from recorder.evidence.proof import LogProof
from recorder.evidence.stamped import make_stamp
from recorder.evidence.timestamp import parse_reply, request
from recorder.evidence.tree import Tree, leaf_hash
from recorder.log.keys import Keys
from tests.authority import reply_to
from tests.bundles import ORIGIN, Scribe, digest_of, keys_of

Objects = dict[str, bytes]

ALONE = keys_of("the recorder", sm2=False)


class Witnessed(Scribe):
    """A scribe whose records become leaves of a log, among others', and whose log is stamped by a real authority.

    The clock of the story is the real one, or `ahead_s` seconds ahead of it.
    """

    def __init__(self, authority: Path, visit: str = "Vb3kTest", ahead_s: float = 0.0, keys: Keys = ALONE) -> None:
        super().__init__(Random(1), visit, keys, now=True, ahead_s=ahead_s)
        self.key = NoteKey(f"{ORIGIN}/{keys.fingerprint[:16]}", keys.public_keys[0])
        self.signed = lambda message: keys.sign(message)[0].sig
        self.tree = Tree()
        self.places: list[int] = []
        self.lines: list[bytes] = []
        self._authority = authority
        self._stamps = 0

    def note(self, kind: str, body: object) -> None:
        super().note(kind, body)  # type: ignore[arg-type]
        self.lines.append(self.newest)
        self.tree.append(leaf_hash(b"another visit's"))
        self.places.append(self.tree.append(leaf_hash(self.newest)))

    def lost_of(self, seat: str) -> int:
        """Packets of a seat that its segments count as lost."""
        said = [json.loads(line) for line in self.lines]
        segments = [one["body"] for one in said if one["type"] == "segment" and one["body"]["stream"] == seat]
        return sum(track["lost"] for segment in segments for track in segment["tracks"])

    def proof(self, place: int) -> LogProof:
        size = self.tree.size
        text = Checkpoint(self.key.name, size, self.tree.root(size)).text
        note = Note(text, (sign(text, self.key, self.signed),))
        return LogProof(place, tuple(self.tree.inclusion(place, size)), note)

    def made(self) -> tuple[bytes, str]:
        """A stamp of all records so far, and the time it tells."""
        proof = self.proof(self.places[-1])
        reply = reply_to(self._authority, request(proof.note.text.encode(), 11))
        at = f"{parse_reply(reply).at:%Y-%m-%dT%H:%M:%S}.000Z"
        return make_stamp(proof, reply, self.signed), at

    def stamp(self) -> None:
        data, at = self.made()
        self._stamps += 1
        name = stamp_name(self._stamps)
        self.objects[name] = data
        body = {"n": self._stamps, "records": len(self.lines), "at": at, "authority": "tsa.example"}
        self.note("stamp", {**body, "object": {"name": name, **digest_of(data)}})

    def manifest(self, *others: str, closed: bool = True) -> None:
        """The day's, with these visits besides."""
        first, last = (leaf(line) for line in (self.lines[0], self.lines[-1]))
        end = (last, len(self.lines)) if closed else (None, None)
        anchors = [Receipt("notary.example", "42")] if closed else []
        entries = [Entry(visit_hash(self.visit), first, *end, anchors)]
        entries += [Entry(visit_hash(other), "ab" * 32, None, None, []) for other in others]
        data = make_manifest(self.key.name, self.at[:10], self.at, None, entries).encoded
        self.objects[MANIFEST] = data
        self.objects[MANIFEST_PROOF] = self.proof(self.tree.append(leaf_hash(data))).encoded


def leaf(line: bytes) -> str:
    """The hash of a record."""
    from hashlib import sha256

    return sha256(line).hexdigest()


def stamped_visit(authority: Path, ahead_s: float = 0.0, stamps: int = 2, end: bool = True) -> Witnessed:
    """A short visit, stamped at its start, in between and at its end, anchored, with a certificate of its quality."""
    scribe = Witnessed(authority, ahead_s=ahead_s)
    scribe.open("doctor", "patient")
    for seat in ("doctor", "patient"):
        scribe.consent(seat)
    scribe.start("doctor", "patient")
    for n in range(stamps):
        scribe.stamp()
        if n == 0:
            anchor = {"service": "notary.example", "seq": 1, "hash": leaf(scribe.lines[1]), "reference": "0x17"}
            scribe.note("anchor", anchor)
    for seat in ("doctor", "patient"):
        scribe.part(seat, 0)
        scribe.until(2000)
        scribe.segment(seat, 0, 2000)
    claimed = {"relayed": False, "rtt_ms": None}
    scribe.note("event", {"event": "claimed", "seat": "doctor", "detail": claimed})
    measured = {"lost": scribe.lost_of("doctor"), "codecs": "VP8 opus"}
    scribe.note("certificate", {"legs": {"doctor": {"measured": measured, "claimed": claimed}}})
    scribe.close(2000)
    scribe.objects[PROOF] = scribe.proof(scribe.places[-1]).encoded
    if end:
        scribe.objects[CLOSE_STAMP] = scribe.made()[0]
    return scribe
