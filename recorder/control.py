"""The recorder's control door: what signaling may ask of the recorder, and what the recorder tells.

Carried by `config.link`. Every fact that must be provable later enters here as a record (`recorder/FORMAT.md`).

REC-1  `Noted` means: the record is chained, its head signed and both are fsynced.
REC-2  A request repeated with the same `key` is answered as the first was and adds nothing: a lost answer is safe to retry.
REC-3  The recorder keeps no packet of a visit before `Start`, and refuses `Start` (`consent_missing`) until the log holds
       the consent of every seat it names: the gate is here as well as in signaling and in the worker.
REC-4  `Close` flushes every stream, seals its last segment and appends the closing record. After it nothing is added.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from config.link import Refused

PROTOCOL = 1


class _Message(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    pass


# ---- asked by signaling


class Greet(_Message, frozen=True, tag="greet"):
    """First message on a link."""

    protocol: int = PROTOCOL


class Open(_Message, frozen=True, tag="open"):
    """Begin a visit's log (record `open`). `seats`: seat → keyed pseudonym. Asking again changes nothing."""

    visit: str
    seats: dict[str, str]


class Note(_Message, frozen=True, tag="note"):
    """Append a record: `kind` is consent, withdraw, join, leave, event, access or export; `body` as FORMAT.md says.

    Refused with `visit_unknown`, `visit_closed`, `record_invalid`.
    """

    visit: str
    key: str
    kind: Literal["consent", "withdraw", "join", "leave", "event", "access", "export"]
    body: dict[str, Any]


class Start(_Message, frozen=True, tag="start"):
    """Recording may begin for these seats; stream time 0 is now. Asked again it adds seats. See REC-3."""

    visit: str
    seats: list[str]


class Close(_Message, frozen=True, tag="close"):
    """End the recording. Answered by `Closed` when the closing record is durable."""

    visit: str
    reason: str


# ---- answered by the recorder


class Greeted(_Message, frozen=True, tag="greeted"):
    """`key` is the fingerprint of the signing key now in use; `store` says where recordings go."""

    recorder: str
    epoch: str
    key: str
    store: str
    protocol: int = PROTOCOL


class Noted(_Message, frozen=True, tag="noted"):
    """The record's sequence number in the visit's chain, and its hash (SHA-256, hex)."""

    seq: int
    hash: str


class Closed(_Message, frozen=True, tag="closed"):
    """The visit's log is complete."""

    seq: int
    hash: str
    segments: int
    bytes: int


# ---- told by the recorder, unasked


class StreamAlive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stream now: sealed bytes and segments, and the stream time in ms up to which it is sealed."""

    stream: str
    bytes: int
    segments: int
    sealed_to_ms: int
    state: Literal["waiting", "recording", "stalled", "ended"]


class Alive(_Message, frozen=True, tag="alive"):
    """Every second while a visit is being recorded, and once more just before `Closed`."""

    visit: str
    streams: list[StreamAlive]


class Gapped(_Message, frozen=True, tag="gapped"):
    """A gap was put on the record."""

    visit: str
    stream: str
    from_ms: int
    to_ms: int
    cause: Literal["network", "recorder", "worker"]


class Degraded(_Message, frozen=True, tag="degraded"):
    """The recorder goes on but something behind it does not (`store_unreachable`, `disk_low`); `over` when mended."""

    code: str
    over: bool


ToRecorder = Greet | Open | Note | Start | Close
FromRecorder = Greeted | Noted | Closed | Refused | Alive | Gapped | Degraded
