"""What others than the recorder say of a recording: the log's witnesses, the day's manifest, time-stamp authorities.

The rules LOG, MANIFEST and STAMP of FORMAT.md §8; `recorder.evidence.verify` calls in here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from recorder.evidence.errors import EvidenceError
from recorder.evidence.findings import Findings
from recorder.evidence.layout import CLOSE_STAMP, MANIFEST, MANIFEST_PROOF, PROOF, stamp_name
from recorder.evidence.ledger import CLOCK_TOLERANCE_MS, Ledger
from recorder.evidence.logged import LogBroken, Logged, judge_proof
from recorder.evidence.manifest import MAX_MANIFEST, Manifest, ManifestInvalid, parse_manifest
from recorder.evidence.records import instant_ms
from recorder.evidence.sign import PublicKey
from recorder.evidence.stamped import StampBroken, Stamped, Timestamped, judge_stamp
from recorder.evidence.trust import Trust

MAX_PROOF = 1 << 18

Read = Callable[[str, int], bytes]
"""An object, whole: its name, the most bytes it may have. Raises `EvidenceError`."""


class ThirdParties:
    """Ask it in the order of FORMAT.md §9: `read_log`, then `read_stamps`."""

    def __init__(self, read: Read, names: set[str], ledger: Ledger, trust: Trust, findings: Findings) -> None:
        """`names`: the recording's objects."""
        self.logged: Logged | None = None
        self.manifest: Manifest | None = None
        self.stamps: list[Stamped] = []
        self.closed_at: str | None = None
        self._read = read
        self._names = names
        self._ledger = ledger
        self._trust = trust
        self._findings = findings

    @property
    def known(self) -> Iterable[str]:
        """The objects that only these rules speak of."""
        return {PROOF, MANIFEST, MANIFEST_PROOF, CLOSE_STAMP} & self._names

    @property
    def timestamped(self) -> Timestamped:
        """The best that can be said of all stamps."""
        if not self.stamps:
            return "none"
        return "trusted" if all(stamp.trusted for stamp in self.stamps) else "declared"

    # ---- the log

    def read_log(self, key: PublicKey | None, visit: str, first: str, last_line: bytes, last: str) -> None:
        """LOG and MANIFEST. `first`, `last`: hashes of the first and the last record."""
        if PROOF in self._names:
            try:
                self.logged = self._judged_proof(key, last_line)
            except LogBroken as broken:
                self._findings.add(broken.rule, PROOF)
        if self._trust.quorum:
            cosigned = set(self.logged.witnesses) if self.logged is not None else set()
            if len(self._trust.witnesses & cosigned) < self._trust.quorum:
                self._findings.add("LOG-5", PROOF)  # LOG-5
        if {MANIFEST, MANIFEST_PROOF} & self._names:
            self._judge_manifest(key, visit, first, last)

    def _judged_proof(self, key: PublicKey | None, last_line: bytes) -> Logged:
        opened = self._ledger.opened
        try:
            proof = self._read(PROOF, MAX_PROOF)
        except EvidenceError:
            raise LogBroken("LOG-1") from None
        if opened is None or self._ledger.closed is None:
            raise LogBroken("LOG-1")
        if key is None:
            raise LogBroken("LOG-2")
        return judge_proof(proof, last_line, key, opened.witnesses or ())

    def _judge_manifest(self, key: PublicKey | None, visit: str, first: str, last: str) -> None:
        try:
            data, proof = self._read(MANIFEST, MAX_MANIFEST), self._read(MANIFEST_PROOF, MAX_PROOF)
            manifest = parse_manifest(data)
            if key is None or self._ledger.opened is None:
                raise LogBroken("LOG-2")
            logged = judge_proof(proof, data, key, self._ledger.opened.witnesses or ())
            if manifest.head.log != logged.log or not logged.log.endswith(f"/{key.fingerprint[:16]}"):
                raise ManifestInvalid("of another log")
        except (EvidenceError, ManifestInvalid, LogBroken):
            self._findings.add("MANIFEST-1", MANIFEST)  # MANIFEST-1
            return
        entry, closed = manifest.entry(visit), self._ledger.closed
        ended = (last, closed.records) if closed is not None else (None, None)
        its_day = (self._ledger.opened_at or "")[:10] == manifest.head.day
        told = entry is not None and (entry.close, entry.records) in {ended, (None, None)}
        if entry is None or entry.open != first or not (its_day and told):
            self._findings.add("MANIFEST-2", MANIFEST)  # MANIFEST-2
            return
        self.manifest = manifest

    # ---- time

    def read_stamps(self, key: PublicKey | None, leaves: Sequence[bytes]) -> None:
        """STAMP-2 to STAMP-5. `leaves`: leaf hash of every record."""
        for body in self._ledger.stamps:
            if stamp_name(body.n) in self._names and body.records <= len(leaves):
                stamp = self._judged(stamp_name(body.n), leaves[body.records - 1], body.records, key)
                if stamp is not None and stamp.told != body.at:
                    self._findings.add("STAMP-3", stamp_name(body.n))  # STAMP-3
        if CLOSE_STAMP in self._names:
            self._read_close(key, leaves)
        if self._trust.timestamps_required and not (self.closed_at is not None and self.timestamped == "trusted"):
            self._findings.add("STAMP-5", CLOSE_STAMP)  # STAMP-5

    def _read_close(self, key: PublicKey | None, leaves: Sequence[bytes]) -> None:
        if self._ledger.closed is None or self._ledger.closed_at is None or not leaves:
            self._findings.add("STAMP-2", CLOSE_STAMP)
            return
        stamp = self._judged(CLOSE_STAMP, leaves[-1], len(leaves), key)
        if stamp is None:
            return
        self.closed_at = stamp.told
        if instant_ms(self._ledger.closed_at) - instant_ms(stamp.told) > CLOCK_TOLERANCE_MS:
            self._findings.add("STAMP-4", CLOSE_STAMP)  # STAMP-4

    def _judged(self, name: str, leaf: bytes, records: int, key: PublicKey | None) -> Stamped | None:
        try:
            if key is None:
                raise StampBroken("STAMP-2")
            stamp = judge_stamp(self._read(name, MAX_PROOF), leaf, records, key, self._trust.roots)
        except StampBroken as broken:
            self._findings.add(broken.rule, name)
            return None
        except EvidenceError:
            self._findings.add("STAMP-1", name)
            return None
        self.stamps.append(stamp)
        return stamp
