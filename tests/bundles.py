"""Honest recordings, made small: what a recorder would have written for a visit, as {object name: bytes}.

Media bytes are arbitrary but shaped like the real thing (an EBML head, runs of clusters); the evidence is real, signed by
keys made from a seed. `honest_visit(Random(7))` always tells the same story.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from recorder.evidence.coverage import Lost, Span, count
from recorder.evidence.digest import Digest
from recorder.evidence.layout import heads_name, init_name, key_name, records_name, seat_of, segment_name
from recorder.evidence.log import VisitLog
from recorder.evidence.verify import Unreadable
from recorder.log.keys import Keys
from recorder.store.objects import ObjectStore

ORIGIN = "hospital.example/teleconsult"
EBML = bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d")
CLUSTER = bytes.fromhex("1f43b675")


def keys_of(seed: str, sm2: bool = True) -> Keys:
    """The same keys for the same seed. For tests only."""
    return Keys(sha256(b"ed25519 " + seed.encode()).digest(), sha256(b"sm2 " + seed.encode()).digest() if sm2 else None)


RECORDER = keys_of("the recorder")
THIEF = keys_of("someone else")


class MemoryReader:
    """A recording in memory (`recorder.evidence.verify.Reader`)."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.objects = objects

    def names(self) -> list[str]:
        return list(self.objects)

    def chunks(self, name: str) -> Iterator[bytes]:
        if name not in self.objects:
            raise Unreadable(name)
        whole = self.objects[name]
        for at in range(0, len(whole), 1000):
            yield whole[at : at + 1000]


class Scribe:
    """Writes a visit the way the recorder does: records, heads after them, batches, media objects."""

    def __init__(
        self,
        rng: Random,
        visit: str = "Vb3kTest",
        keys: Keys = RECORDER,
        origin: str = ORIGIN,
        now: bool = False,
        ahead_s: float = 0.0,
    ) -> None:
        """The story begins on a day in May 2026; with `now`, now, and `ahead_s` seconds later than the real clock says."""
        self.rng = rng
        self.visit = visit
        self.objects: dict[str, bytes] = {key_name(key.fingerprint): key.pem for key in keys.public_keys}
        self.newest = b""
        self.log = VisitLog(visit, origin, keys)
        self.mono_us = rng.randrange(1, 10**12)
        began = datetime(2026, 5, 4, 9, 12, tzinfo=UTC)
        if now:
            began = datetime.now(UTC) + timedelta(seconds=ahead_s)
        self._wall = began - timedelta(microseconds=self.mono_us)
        self._zero_us: int | None = None
        self._records: list[bytes] = []
        self._heads: list[bytes] = []
        self._batch = 0
        self._parts: dict[str, int] = {}
        self._container: dict[str, str] = {}
        self._n: dict[str, int] = {}
        self._first: dict[str, int] = {}
        self._spans: dict[str, list[Span]] = {}
        self._lost: dict[str, list[Lost]] = {}
        self._bytes: dict[str, int] = {}
        self._last: dict[str, str | None] = {}
        self._suite: dict[str, str] = {}

    # ---- the clock

    @property
    def at(self) -> str:
        when = self._wall + timedelta(microseconds=self.mono_us)
        return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def now_ms(self) -> int:
        assert self._zero_us is not None
        return (self.mono_us - self._zero_us) // 1000

    def wait(self, ms: int) -> None:
        self.mono_us += ms * 1000

    def until(self, ms: int) -> None:
        """Let stream time reach `ms`."""
        self.wait(max(0, ms - self.now_ms))

    # ---- records

    def note(self, kind: str, body: Mapping[str, Any]) -> None:
        self.newest = self.log.append(kind, body, self.at, self.mono_us).line
        self._records.append(self.newest)
        if self.rng.random() < 0.7 or kind in {"open", "close"}:
            self._heads.append(self.log.head(self.at))
        if self.rng.random() < 0.3:
            self.flush()

    def flush(self) -> None:
        """Write the batch at hand; its last head covers it all."""
        if not self._records:
            return
        self._heads.append(self.log.head(self.at))
        self._batch += 1
        self.objects[records_name(self._batch)] = b"".join(line + b"\n" for line in self._records)
        self.objects[heads_name(self._batch)] = b"".join(line + b"\n" for line in self._heads)
        self._records, self._heads = [], []

    def open(self, *seats: str) -> None:
        pseudonyms = {seat: sha256(seat.encode()).hexdigest()[:16] for seat in seats}
        self.note("open", {"seats": pseudonyms, "recorder": "recorder-1", "epoch": "r-1"})

    def consent(self, seat: str, decision: str = "agreed") -> None:
        words = {
            "text_version": "2026-05",
            "text_sha256": sha256(b"words").hexdigest(),
            "language": "zh",
            "method": "tap",
        }
        self.note("consent", {"seat": seat, "decision": decision, **words})

    def start(self, *seats: str) -> None:
        if self._zero_us is None:
            self._zero_us = self.mono_us
        for seat in seats:
            self._first.setdefault(seat, self.now_ms)
        self.note("start", {"seats": list(seats), "from_ms": self.now_ms, "zero_mono_us": self._zero_us})

    def recovered(self) -> None:
        self.note("recovered", {"epoch": "r-2", "reason": "restart", "zero_mono_us": self._zero_us})

    def gap(self, stream: str, from_ms: int, to_ms: int, cause: str) -> None:
        self._first.setdefault(stream, from_ms)
        self._lost.setdefault(stream, []).append(Lost(from_ms, to_ms, cause))  # type: ignore[arg-type]
        self.note("gap", {"stream": stream, "from_ms": from_ms, "to_ms": to_ms, "cause": cause, "packets": None})

    # ---- media

    def key(self, stream: str, suite: str = "aes256gcm") -> None:
        """What follows of the stream is sealed. (Its bytes are as arbitrary as before: no verifier can open them.)"""
        self._suite[stream] = suite
        self.note("key", {"stream": stream, "key": self.rng.randbytes(32).hex(), "suite": suite, "under": ["kms:k1"]})

    def part(self, stream: str, from_ms: int, container: str = "webm", why: str = "start") -> None:
        self._first.setdefault(stream, from_ms)
        number = self._parts[stream] = self._parts.get(stream, 0) + 1
        self._container[stream], self._n[stream] = container, 0
        name = init_name(stream, number, container)
        init = EBML + self.rng.randbytes(100)
        picture = "VP8" if container == "webm" else "H264"
        tracks = [_track(1, "microphone", "opus", from_ms), _track(2, "camera", picture, from_ms)]
        body = {
            "stream": stream,
            "part": number,
            "container": container,
            "why": why,
            "from_ms": from_ms,
            "tracks": tracks,
        }
        self.objects[name] = init
        self.note("part", {**body, "init": {"name": name, **digest_of(init)}})

    def media(self) -> bytes:
        """The bytes of a segment."""
        return CLUSTER + self.rng.randbytes(self.rng.randrange(200, 3000))

    def segment(self, stream: str, from_ms: int, to_ms: int) -> None:
        part, container = self._parts[stream], self._container[stream]
        n = self._n[stream] = self._n[stream] + 1
        name = segment_name(stream, part, n, container)
        data = self.media()
        self.objects[name] = data
        self._spans.setdefault(stream, []).append(Span(from_ms, to_ms))
        self._bytes[stream] = self._bytes.get(stream, 0) + len(data)
        digest = digest_of(data)
        self._last[stream] = digest["sha256"]
        counts = [_counts(number, self.rng) for number in (1, 2)]
        body = {"stream": stream, "part": part, "n": n, "name": name, "from_ms": from_ms, "to_ms": to_ms, **digest}
        self.note(
            "segment",
            {**body, "keyframe": True, "forced": False, "enc": self._suite.get(stream, "none"), "tracks": counts},
        )

    def close(self, end_ms: int | None, reason: str = "completed") -> None:
        streams = self._first.keys() | self._parts.keys() | self._lost.keys()
        accounts = {stream: self._account(stream, end_ms or 0) for stream in streams}
        self.note("close", {"reason": reason, "records": self.log.size + 1, "end_ms": end_ms, "streams": accounts})
        self.flush()

    def _account(self, stream: str, end_ms: int) -> dict[str, Any]:
        spans, lost = self._spans.get(stream, []), self._lost.get(stream, [])
        counted = count(spans, lost)
        causes = ("network", "off", "present", "recorder", "withdrawn", "worker")
        own_end = max([span[1] for span in [*spans, *lost]], default=0)
        return {
            "parts": self._parts.get(stream, 0),
            "segments": len(spans),
            "bytes": self._bytes.get(stream, 0),
            "last": self._last.get(stream),
            "first_ms": self._first[stream],
            "last_ms": end_ms if stream == seat_of(stream) else own_end,
            "coverage": {cause: getattr(counted, cause) for cause in causes},
        }


def honest_visit(
    rng: Random, visit: str = "Vb3kTest", keys: Keys = RECORDER, closed: bool = True, sealed: bool = False
) -> dict[str, bytes]:
    """A visit with everything that may happen in one: late starts, gaps, new parts, screens, a restart, a withdrawal."""
    scribe = Scribe(rng, visit, keys)
    scribe.open("doctor", "patient")
    scribe.wait(rng.randrange(5000))
    for seat in ("patient", "doctor"):
        scribe.note("join", {"seat": seat})
        scribe.consent(seat)
    scribe.wait(rng.randrange(30_000))
    scribe.start("doctor", "patient")
    end_ms = rng.randrange(8000, 30_000)
    told: list[tuple[int, Any]] = []
    withdraws = {}
    for seat in ("doctor", "patient"):
        if sealed:
            told.append((0, lambda seat=seat: scribe.key(seat, rng.choice(["aes256gcm", "sm4gcm"]))))
        withdraws[seat] = rng.random() < 0.15
        told += _story(scribe, rng, seat, 0, end_ms, withdraws[seat])
    if rng.random() < 0.5:
        shared_ms = rng.randrange(end_ms // 2)
        screen = _story(scribe, rng, "doctor.screen", shared_ms, rng.randrange(shared_ms + 3000, end_ms + 1), False)
        told += screen if not withdraws["doctor"] else []  # whoever withdrew shows no screen either (CONSENT-3)
    if rng.random() < 0.3:
        told.append((rng.randrange(end_ms), scribe.recovered))
    for ms in range(2000, end_ms, 7000):
        told.append((ms, lambda: scribe.note("event", {"event": "microphone", "seat": "patient", "state": "muted"})))
        told.append((ms, lambda: scribe.note("heartbeat", {"streams": {}})))
    for ms, tell in sorted(told, key=lambda one: one[0]):
        scribe.until(ms)
        tell()
    scribe.until(end_ms)
    if closed:
        scribe.close(end_ms)
    scribe.flush()
    return scribe.objects


def _story(
    scribe: Scribe, rng: Random, stream: str, first_ms: int, end_ms: int, withdraws: bool
) -> list[tuple[int, Any]]:
    # What happens to one stream, as (stream time, what to write then); every millisecond is accounted for.
    told: list[tuple[int, Any]] = []
    at, part = first_ms, False
    withdrawn = rng.randrange(end_ms // 2, end_ms) if withdraws else end_ms
    while at < end_ms:
        to = min(at + rng.randrange(1500, 4000), end_ms)
        if at >= withdrawn:
            told.append((end_ms, lambda f=at: scribe.gap(stream, f, end_ms, "withdrawn")))
            break
        to = min(to, withdrawn)
        if rng.random() < 0.2:
            cause = rng.choice(["network", "recorder", "worker", "off"])
            told.append((to, lambda f=at, t=to, c=cause: scribe.gap(stream, f, t, c)))
            part = part and rng.random() < 0.5
        else:
            if not part:
                container = rng.choice(["webm", "matroska"])
                told.append((to, lambda f=at, c=container: scribe.part(stream, f, c)))
                part = True
            told.append((to, lambda f=at, t=to: scribe.segment(stream, f, t)))
            if rng.random() < 0.2 and to - at > 500:
                told.append((to, lambda f=at + 100, t=at + 400: scribe.gap(stream, f, t, "network")))
        at = to
    if withdraws:
        told.append((withdrawn, lambda: scribe.note("withdraw", {"seat": stream})))
    return told


def _track(number: int, source: str, codec: str, at_ms: int) -> dict[str, Any]:
    kind, rate = ("audio", 48_000) if codec == "opus" else ("video", 90_000)
    placed = {"ssrc": 4_000_000_000 + number, "rtp_timestamp": 4_294_967_290, "at_ms": at_ms, "aligned": number == 1}
    return {"number": number, "source": source, "kind": kind, "codec": codec, "clock_rate": rate, **placed}


def _counts(number: int, rng: Random) -> dict[str, int]:
    received, lost = rng.randrange(50, 300), rng.randrange(3)
    packets = {"expected": received + lost, "received": received, "recovered": rng.randrange(5), "lost": lost}
    return {"number": number, "frames": 40, "keyframes": 1 if number == 2 else 40, **packets}


def digest_of(data: bytes) -> dict[str, Any]:
    taken = Digest(data)
    return {"bytes": taken.size, "sha256": taken.sha256, "sm3": taken.sm3}


async def shelve(store: ObjectStore, visit: str, objects: Mapping[str, bytes]) -> None:
    """A finished recording in a store."""
    for name, data in objects.items():
        await store.put(f"recordings/{visit}/{name}", data, sha256(data).hexdigest())


def write_bundle(objects: Mapping[str, bytes], folder: Path) -> Path:
    """Lay the objects out as a directory."""
    for name, data in objects.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def tamper(rng: Random, objects: Mapping[str, bytes]) -> tuple[dict[str, bytes], str]:
    """One change to a recording, chosen at random; what was done."""
    changed = dict(objects)
    name = rng.choice(sorted(changed))
    what = rng.choice(
        ["flip", "cut", "grow", "delete", "swap", "add", "drop line", "double line", "swap lines", "digit"]
    )
    match what:
        case "flip":
            spoiled = bytearray(changed[name])
            spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
            changed[name] = bytes(spoiled)
        case "cut":
            changed[name] = changed[name][: rng.randrange(len(changed[name]))]
        case "grow":
            changed[name] += rng.randbytes(rng.randrange(1, 50))
        case "delete":
            del changed[name]
        case "swap":
            other = rng.choice([one for one in sorted(changed) if changed[one] != changed[name]])
            changed[name], changed[other] = changed[other], changed[name]
        case "add":
            folder = rng.choice(["", "records/", "heads/", "keys/", "streams/doctor/part-001/"])
            changed[f"{folder}{rng.randrange(10**6):06d}.{rng.choice(['jsonl', 'webm', 'pem'])}"] = changed[name]
        case _:
            name = rng.choice([one for one in sorted(changed) if one.endswith(".jsonl")])
            lines = changed[name].splitlines()
            at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
            if what == "drop line":
                del lines[at]
            elif what == "double line":
                lines.insert(to, lines[at])
            elif what == "swap lines":
                lines[at], lines[to] = lines[to], lines[at]
            else:
                digits = [n for n, byte in enumerate(lines[at]) if 48 <= byte <= 57]
                spot = rng.choice(digits)
                lines[at] = lines[at][:spot] + bytes([48 + (lines[at][spot] - 47) % 10]) + lines[at][spot + 1 :]
            changed[name] = b"".join(line + b"\n" for line in lines)
    return changed, f"{what} {name}"
