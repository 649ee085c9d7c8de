"""RTCP (RFC 3550 §6, RFC 4585, RFC 5104, REMB): compounds in, compounds out.

A few a second a transport, so here there are objects. `parse` takes what a peer sent and yields what we act on; block
types we do not know are stepped over. Raises `RtcpError` for lengths that do not fit; what came before stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct

from media.rtp.header import Bytes

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
NACK, PLI, FIR, AFB, TRANSPORT = 1, 1, 4, 15, 15

MAX_BLOCKS = 31

_HEAD = Struct("!BBHI")
_SENDER = Struct("!QIII")
_BLOCK = Struct("!IIIIII")
_FEEDBACK = Struct("!BBHII")
_PAIR = Struct("!HH")
_WORD = Struct("!I")
_FIR = Struct("!IBxxx")


class RtcpError(ValueError):
    """A compound whose lengths do not fit."""

    code = "rtcp_malformed"


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one SSRC. `fraction` 0–255 of 256; `lsr` and `dlsr` in 1/65 536 s; `jitter` in RTP units."""

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    lsr: int
    dlsr: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    """`ntp` is 32.32 fixed point; `at` and `end` are the packet's own place in the compound."""

    ssrc: int
    ntp: int
    rtp_time: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...]
    at: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """A peer that sends nothing reports what it receives."""

    ssrc: int
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class Nack:
    """Sequence numbers of `media_ssrc` that did not arrive, in the order named."""

    media_ssrc: int
    lost: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyframeRequest:
    """PLI or FIR for one SSRC."""

    media_ssrc: int


@dataclass(frozen=True, slots=True)
class Bye:
    """Sources that have ended."""

    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Remb:
    """What the receiver believes it can take, for these SSRCs together."""

    bitrate_bps: int
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """What arrived, by transport-wide number; the packet's own place in the compound, for `congestion.twcc` to read."""

    at: int
    end: int


Packet = SenderReport | ReceiverReport | Nack | KeyframeRequest | Bye | Remb | TransportFeedback


def parse(compound: Bytes, size: int) -> Iterator[Packet]:
    """The packets in the first `size` bytes, in order. Raises `RtcpError`."""
    at = 0
    while at < size:
        if size - at < 8:
            raise RtcpError("shorter than a header")
        first, kind, words, ssrc = _HEAD.unpack_from(compound, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or words < 1 or end > size:
            raise RtcpError("not an RTCP header")
        count = first & 31
        if kind == SR:
            yield _sender_report(compound, at, end, ssrc, count)
        elif kind == RR:
            yield ReceiverReport(ssrc, _blocks(compound, at + 8, end, count))
        elif kind == BYE:
            if at + 4 + 4 * count > end:
                raise RtcpError("a BYE is cut short")
            yield Bye(tuple(_WORD.unpack_from(compound, at + 4 + 4 * n)[0] for n in range(count)))
        elif kind in (RTPFB, PSFB):
            if at + 12 > end:
                raise RtcpError("feedback is cut short")
            yield from _feedback(compound, at, end, kind, count)
        at = end


def _sender_report(compound: Bytes, at: int, end: int, ssrc: int, count: int) -> SenderReport:
    if at + 28 > end:
        raise RtcpError("a sender report is cut short")
    ntp, rtp_time, packets, octets = _SENDER.unpack_from(compound, at + 8)
    return SenderReport(ssrc, ntp, rtp_time, packets, octets, _blocks(compound, at + 28, end, count), at, end)


def _blocks(compound: Bytes, at: int, end: int, count: int) -> tuple[ReportBlock, ...]:
    if at + 24 * count > end:
        raise RtcpError("report blocks are cut short")
    blocks = []
    for n in range(count):
        ssrc, loss, highest, jitter, lsr, dlsr = _BLOCK.unpack_from(compound, at + 24 * n)
        lost = loss & 0xFFFFFF
        blocks.append(ReportBlock(ssrc, loss >> 24, lost - ((lost & 0x800000) << 1), highest, jitter, lsr, dlsr))
    return tuple(blocks)


def _feedback(compound: Bytes, at: int, end: int, kind: int, form: int) -> Iterator[Packet]:
    media_ssrc = _WORD.unpack_from(compound, at + 8)[0]
    if kind == RTPFB and form == NACK:
        yield Nack(media_ssrc, tuple(_named(compound, at + 12, end)))
    elif kind == RTPFB and form == TRANSPORT:
        yield TransportFeedback(at, end)
    elif kind == PSFB and form == PLI:
        yield KeyframeRequest(media_ssrc)
    elif kind == PSFB and form == FIR:
        for entry in range(at + 12, end - 7, 8):
            yield KeyframeRequest(_FIR.unpack_from(compound, entry)[0])
    elif kind == PSFB and form == AFB and end - at >= 20 and bytes(compound[at + 12 : at + 16]) == b"REMB":
        count, packed = compound[at + 16], _WORD.unpack_from(compound, at + 16)[0] & 0xFFFFFF
        if at + 20 + 4 * count > end:
            raise RtcpError("REMB is cut short")
        ssrcs = tuple(_WORD.unpack_from(compound, at + 20 + 4 * n)[0] for n in range(count))
        yield Remb((packed & 0x3FFFF) << (packed >> 18), ssrcs)


def _named(compound: Bytes, at: int, end: int) -> Iterator[int]:
    for pair in range(at, end - 3, 4):
        first, mask = _PAIR.unpack_from(compound, pair)
        yield first
        for bit in range(16):
            if mask >> bit & 1:
                yield (first + bit + 1) & 0xFFFF


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    """At most 31 blocks; the rest is left out."""
    told = blocks[:MAX_BLOCKS]
    return _HEAD.pack(0x80 | len(told), RR, 1 + 6 * len(told), ssrc) + b"".join(map(_block, told))


def sender_report(ssrc: int, ntp: int, rtp_time: int, packets: int, octets: int) -> bytes:
    """Without report blocks; counts are taken modulo 2³²."""
    head = _HEAD.pack(0x80, SR, 6, ssrc)
    return head + _SENDER.pack(ntp, rtp_time & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)


def sdes(cnames: Sequence[tuple[int, str]]) -> bytes:
    """One chunk for each (SSRC, CNAME), at most 31."""
    body = b""
    for ssrc, cname in cnames[:MAX_BLOCKS]:
        name = cname.encode()[:255]
        item = bytes((1, len(name))) + name
        body += _WORD.pack(ssrc) + item + bytes(4 - len(item) % 4)
    return bytes((0x80 | len(cnames[:MAX_BLOCKS]), SDES)) + (len(body) // 4).to_bytes(2, "big") + body


def nack(ssrc: int, media_ssrc: int, lost: Iterable[int]) -> bytes:
    """`lost` are 16-bit sequence numbers in sending order; at most 128 pairs are named."""
    pairs: list[list[int]] = []
    for seq in lost:
        if pairs and 1 <= (step := (seq - pairs[-1][0]) & 0xFFFF) <= 16:
            pairs[-1][1] |= 1 << (step - 1)
        elif len(pairs) < 128:
            pairs.append([seq & 0xFFFF, 0])
    return _FEEDBACK.pack(0x80 | NACK, RTPFB, 2 + len(pairs), ssrc, media_ssrc) + b"".join(
        _PAIR.pack(*p) for p in pairs
    )


def pli(ssrc: int, media_ssrc: int) -> bytes:
    """Picture loss indication (RFC 4585 §6.3.1)."""
    return _FEEDBACK.pack(0x80 | PLI, PSFB, 2, ssrc, media_ssrc)


def remb(ssrc: int, bitrate_bps: int, ssrcs: Sequence[int]) -> bytes:
    """Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb), at most 255 SSRCs."""
    exponent = max(0, bitrate_bps.bit_length() - 18)
    packed = exponent << 18 | bitrate_bps >> exponent
    body = b"REMB" + _WORD.pack(len(ssrcs) << 24 | packed) + b"".join(map(_WORD.pack, ssrcs))
    return _FEEDBACK.pack(0x80 | AFB, PSFB, 2 + len(body) // 4, ssrc, 0) + body


def _block(block: ReportBlock) -> bytes:
    lost = max(-0x800000, min(0x7FFFFF, block.lost)) & 0xFFFFFF
    return _BLOCK.pack(
        block.ssrc, block.fraction << 24 | lost, block.highest & 0xFFFFFFFF, block.jitter, block.lsr, block.dlsr
    )
