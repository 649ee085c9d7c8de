"""The manifests of a log held against the recordings beside it: each list is one of a chain, and none leaves anybody out.

INV-9  Each manifest that the log has is well formed and named after its day, and they are one chain by `prev`. What one says
       of a recording that is here is so. No recording that the log had before two manifests, both written after it began,
       is missing in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from recorder.evidence.manifest import Entry, Manifest, ManifestInvalid, parse_manifest, visit_hash


class Recorded(NamedTuple):
    """A recording: when it began, where the log has its first record, and the hashes of the first and the last.

    `records`: how many, None while it is not closed.
    """

    visit: str
    at: str
    leaf: int
    first: str
    last: str
    records: int | None


class _Listed(NamedTuple):
    name: str
    leaf: int
    hash: str
    manifest: Manifest


class DayLists:
    """Of one log. Feed it everything, then ask `wrong`."""

    def __init__(self) -> None:
        self._lists: list[_Listed] = []
        self._recordings: list[Recorded] = []
        self._malformed: list[str] = []

    def listed(self, name: str, data: bytes, leaf: int) -> None:
        """A manifest that the log has, as the object of this name."""
        try:
            manifest = parse_manifest(data)
        except ManifestInvalid:
            self._malformed.append(name)
            return
        _, root, file = name.split("/")
        if manifest.head.day != file.removesuffix(".jsonl") or manifest.head.log.rpartition("/")[2] != root:
            self._malformed.append(name)
        self._lists.append(_Listed(name, leaf, sha256(data).hexdigest(), manifest))

    def recorded(self, recording: Recorded) -> None:
        """A recording of the store that the log has."""
        self._recordings.append(recording)

    def wrong(self) -> Iterator[str]:
        """What breaks INV-9: names of manifests, and of recordings' folders."""
        yield from self._malformed
        yield from self._unchained()
        entries: dict[str, list[tuple[str, Entry]]] = {}
        for one in self._lists:
            for entry in one.manifest.visits:
                entries.setdefault(entry.visit, []).append((one.name, entry))
        for recording in self._recordings:
            said = entries.get(visit_hash(recording.visit), [])
            yield from (name for name, entry in said if not _is_so(entry, recording))
            if not said and self._due(recording):
                yield f"recordings/{recording.visit}"

    def _unchained(self) -> Iterator[str]:
        after = {one.manifest.head.prev: one for one in self._lists}
        at, reached = None, set[str]()
        while (following := after.get(at)) is not None and following.hash not in reached:
            at = following.hash
            reached.add(at)
        yield from (one.name for one in self._lists if one.hash not in reached)

    def _due(self, recording: Recorded) -> bool:
        # The first may be of the day before it began: it is written a minute after midnight.
        later = [one for one in self._lists if one.leaf > recording.leaf and one.manifest.head.at > recording.at]
        return len(later) > 1


def _is_so(entry: Entry, recording: Recorded) -> bool:
    if entry.open != recording.first:
        return False
    return entry.close is None or (entry.close, entry.records) == (recording.last, recording.records)
