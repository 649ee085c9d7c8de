"""The types of record and their bodies (FORMAT.md §3, §4, §8).

FORM-2  The members of a record are exactly those of `Record`.
FORM-3  A body has exactly the members of its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from recorder.evidence.errors import RecordInvalid
from recorder.evidence.layout import HEX, SEAT, STREAM, VISIT

FORMAT = "teleconsult-recording/2"
SAFE = 2**53 - 1
"""The largest integer JCS can carry."""

Count = Annotated[int, Meta(ge=0, le=SAFE)]
Signed = Annotated[int, Meta(ge=-SAFE, le=SAFE)]
Positive = Annotated[int, Meta(ge=1, le=SAFE)]
Word32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Number = Annotated[int, Meta(ge=1, le=999_999)]
PartNumber = Annotated[int, Meta(ge=1, le=999)]
Text = Annotated[str, Meta(max_length=1024)]
Name = Annotated[str, Meta(pattern=r"\A[a-z][a-z0-9_.]{0,63}\Z")]
Hex = Annotated[str, Meta(pattern=rf"\A{HEX}\Z")]
Visit = Annotated[str, Meta(pattern=rf"\A{VISIT}\Z")]
Seat = Annotated[str, Meta(pattern=rf"\A{SEAT}\Z")]
Stream = Annotated[str, Meta(pattern=rf"\A{STREAM}\Z")]
Origin = Annotated[str, Meta(pattern=r"\A[!-~]{1,128}\Z")]
Instant = Annotated[str, Meta(pattern=r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z\Z")]
ObjectName = Annotated[str, Meta(max_length=256)]
Suite = Literal["aes256gcm", "sm4gcm"]
Cause = Literal["network", "recorder", "worker", "off", "withdrawn"]

Details = dict[Name, Text | Signed | bool | None]


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class KeyName(_Body, frozen=True):
    """A key that signs the recording: its algorithm and fingerprint."""

    alg: Literal["ed25519", "sm2"]
    key: Hex


class Open(_Body, frozen=True):
    """The log begins."""

    format: Literal["teleconsult-recording/1", "teleconsult-recording/2"]
    origin: Origin
    seats: dict[Seat, Text]
    keys: list[KeyName]
    recorder: Text
    epoch: Text
    witnesses: list[Text] | UnsetType = UNSET
    """Verifier keys (C2SP signed-note) of those asked to cosign the log."""


class Consent(_Body, frozen=True):
    """A seat decided about being recorded."""

    seat: Seat
    decision: Literal["agreed", "refused"]
    text_version: Text
    text_sha256: Hex
    language: Text
    method: Literal["tap", "spoken", "paper"]


class Withdraw(_Body, frozen=True):
    """A seat takes its consent back."""

    seat: Seat


class Join(_Body, frozen=True):
    """A seat came."""

    seat: Seat
    client: Text | UnsetType = UNSET


class Leave(_Body, frozen=True):
    """A seat went."""

    seat: Seat
    reason: Text | UnsetType = UNSET


class Start(_Body, frozen=True):
    """The streams of these seats may be kept from here on."""

    seats: list[Seat]
    from_ms: Count
    zero_mono_us: Signed


class DataKey(_Body, frozen=True):
    """What follows of this stream is sealed under this key, until the next `key` of the stream."""

    stream: Stream
    key: Hex
    """Its commitment, and so its name."""
    suite: Suite
    under: list[Text]
    """The wrapping keys that kept it at that moment."""


class ObjectDigest(_Body, frozen=True):
    """An object's name, size and hashes."""

    name: ObjectName
    bytes: Count
    sha256: Hex
    sm3: Hex


class Track(_Body, frozen=True):
    """One track of a part, and how its RTP timestamps were put on stream time."""

    number: Number
    source: Literal["microphone", "camera", "screen"]
    kind: Literal["audio", "video"]
    codec: Literal["opus", "VP8", "VP9", "H264"]
    clock_rate: Positive
    ssrc: Word32
    rtp_timestamp: Word32
    at_ms: Signed
    aligned: bool
    channels: Positive | UnsetType = UNSET
    width: Positive | UnsetType = UNSET
    height: Positive | UnsetType = UNSET


class Part(_Body, frozen=True):
    """A new playable file of a stream begins."""

    stream: Stream
    part: PartNumber
    container: Literal["webm", "matroska"]
    why: Literal["start", "codec", "ssrc", "timestamps", "pause", "tracks", "recovered"]
    from_ms: Count
    init: ObjectDigest
    tracks: list[Track]


class TrackCounts(_Body, frozen=True):
    """What a segment holds of one track: RTP packets, and frames."""

    number: Number
    expected: Count
    received: Count
    recovered: Count
    lost: Count
    frames: Count
    keyframes: Count


class Segment(_Body, frozen=True):
    """A run of clusters, sealed."""

    stream: Stream
    part: PartNumber
    n: Number
    name: ObjectName
    bytes: Count
    sha256: Hex
    sm3: Hex
    from_ms: Count
    to_ms: Count
    keyframe: bool
    forced: bool
    enc: Literal["none", "aes256gcm", "sm4gcm"]
    tracks: list[TrackCounts]


class Sync(_Body, frozen=True):
    """Where a sender report puts a track, compared with where the part has put it."""

    stream: Stream
    part: PartNumber
    number: Number
    rtp_timestamp: Word32
    at_ms: Signed
    skew_us: Signed


class Gap(_Body, frozen=True):
    """Stream time for which nothing was kept, and why."""

    stream: Stream
    from_ms: Count
    to_ms: Count
    cause: Cause
    packets: Count | None


class Event(_Body, frozen=True):
    """Something a reader of the recording should know: a device muted, the quality of the line."""

    event: Name
    seat: Seat | UnsetType = UNSET
    state: Text | UnsetType = UNSET
    detail: Details | UnsetType = UNSET


class Beat(_Body, frozen=True):
    """How far a stream is sealed."""

    segments: Count
    bytes: Count
    sealed_to_ms: Count


class Heartbeat(_Body, frozen=True):
    """The recorder is alive."""

    streams: dict[Stream, Beat]


class Recovered(_Body, frozen=True):
    """The log goes on after the recorder was away."""

    epoch: Text
    reason: Text
    zero_mono_us: Signed | None


class Degraded(_Body, frozen=True):
    """Something behind the recorder fails, or works again."""

    code: Name
    over: bool


class StoredObject(_Body, frozen=True):
    """A version of an object that the store keeps; nobody can delete it there before `retain_until`."""

    name: ObjectName
    version: Text
    retain_until: Instant | None


class Stored(_Body, frozen=True):
    """These media objects reached the store."""

    objects: list[StoredObject]


class Stamp(_Body, frozen=True):
    """A time-stamp authority said that the log, with the first `records` records of this visit, existed `at` this time."""

    n: Number
    records: Positive
    at: Instant
    authority: Text
    object: ObjectDigest


class Anchor(_Body, frozen=True):
    """An evidence service elsewhere was given the hash of record `seq`, and answered with `reference`."""

    service: Text
    seq: Count
    hash: Hex
    reference: Text


class Leg(_Body, frozen=True):
    """How the call went between one seat and the media worker: as measured by us, and as the seat's client claims."""

    measured: Details
    claimed: Details | UnsetType = UNSET


class Certificate(_Body, frozen=True):
    """The quality of the whole call, by seat."""

    legs: dict[Seat, Leg]


class Access(_Body, frozen=True):
    """Someone looked, or took a copy."""

    who: Text
    role: Text
    purpose: Text
    scope: Text | UnsetType = UNSET


class Coverage(_Body, frozen=True):
    """Milliseconds of a stream by what became of them; the sum is its span."""

    network: Count
    off: Count
    present: Count
    recorder: Count
    withdrawn: Count
    worker: Count


class StreamClose(_Body, frozen=True):
    """A stream's account."""

    parts: Count
    segments: Count
    bytes: Count
    last: Hex | None
    first_ms: Count
    last_ms: Count
    coverage: Coverage


class Close(_Body, frozen=True):
    """The log ends."""

    reason: Text
    records: Count
    end_ms: Count | None
    streams: dict[Stream, StreamClose]


Body = (
    Open | Consent | Withdraw | Join | Leave | Start | DataKey | Part | Segment | Sync | Gap | Event | Heartbeat | Recovered
    | Degraded | Stored | Stamp | Anchor | Certificate | Access | Close
)  # fmt: skip

BODIES: dict[str, type[Body]] = {
    "open": Open,
    "consent": Consent,
    "withdraw": Withdraw,
    "join": Join,
    "leave": Leave,
    "start": Start,
    "key": DataKey,
    "part": Part,
    "segment": Segment,
    "sync": Sync,
    "gap": Gap,
    "event": Event,
    "heartbeat": Heartbeat,
    "recovered": Recovered,
    "degraded": Degraded,
    "stored": Stored,
    "stamp": Stamp,
    "anchor": Anchor,
    "certificate": Certificate,
    "access": Access,
    "export": Access,
    "close": Close,
}


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One record; `body` still as it was written."""

    v: Literal[1]
    type: str
    visit: Visit
    seq: Count
    at: Instant
    mono_us: Count
    prev: Hex
    body: dict[str, object]


def record_of(members: Mapping[str, object]) -> Record:
    """The record these members make. Raises `RecordInvalid` (FORM-2)."""
    try:
        record = msgspec.convert(dict(members), Record)
    except (msgspec.ValidationError, RecursionError) as error:
        raise RecordInvalid(str(error)) from None
    instant_ms(record.at)
    return record


def instant_ms(at: str) -> int:
    """A wall time as milliseconds since 1970. Raises `RecordInvalid` for a date the calendar does not have."""
    try:
        return round(datetime.fromisoformat(at).timestamp() * 1000)
    except ValueError:
        raise RecordInvalid("no such time") from None


def body_of(kind: str, body: Mapping[str, object]) -> Body:
    """The typed body. Raises `RecordInvalid` for a type that is unknown or a body that does not fit it (FORM-3)."""
    wanted = BODIES.get(kind)
    if wanted is None:
        raise RecordInvalid("an unknown type of record")
    try:
        return msgspec.convert(dict(body), wanted)
    except (msgspec.ValidationError, RecursionError) as error:
        raise RecordInvalid(f"{kind}: {error}") from None
