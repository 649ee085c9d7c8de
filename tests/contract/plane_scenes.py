"""What the data plane's tests play: a camera that is watched, a voice that is heard, and who feeds back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from media.congestion import twcc
from media.rtp import header, rtcp
from tests.contract.plane_peers import (
    VP8_DELTA,
    VP8_KEY,
    Bench,
    Parsed,
    Peer,
    audio,
    listening,
    parsed,
    rtp,
    video,
    viewing,
)

NUMBER, RID, REPAIRED = 3, 10, 11
SOUND = audio(ssrc=3333)
HEARING = replace(listening(), number_extension=NUMBER, red=63, nack=True)


async def pair(bench: Bench, *, rtx: bool = True) -> tuple[Peer, Peer]:
    """A patient whose camera a doctor watches."""
    patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
    bench.plane.publish("p", video())
    bench.plane.subscribe("d", viewing(rtx=rtx))
    return patient, doctor


async def film(peer: Peer, numbers: range, *, without: tuple[int, ...] = (), ssrc: int = 1111) -> None:
    """One packet a frame, the first of the range a keyframe; the payload's last byte is the number."""
    for n in numbers:
        if n not in without:
            payload = (VP8_KEY if n == numbers[0] else VP8_DELTA) + bytes((n & 255,))
            await peer.send(rtp(n, payload, pt=96, ssrc=ssrc, ts=n * 3000, marker=True, mid="1"))


def pictures(peer: Peer, pt: int = 100) -> list[Parsed]:
    return [p for p in map(parsed, peer.rtp) if p.pt == pt]


def extended(seq: int, payload: bytes, *, pt: int, ssrc: int, ts: int = 0, **extensions: bytes) -> bytes:
    """An RTP packet with one-byte header extensions, `e3=b"…"` for number 3."""
    plain = rtp(seq, payload, pt=pt, ssrc=ssrc, ts=ts, marker=True)
    items = b"".join(bytes((int(name[1:]) << 4 | len(value) - 1,)) + value for name, value in extensions.items())
    items += bytes(-len(items) % 4)
    return b"\x90" + plain[1:12] + b"\xbe\xde" + (len(items) // 4).to_bytes(2, "big") + items + plain[12:]


def numbers(peer: Peer) -> list[int]:
    return [header.number_of(packet, len(packet), NUMBER) for packet in peer.rtp]


async def heard_sound(bench: Bench) -> tuple[Peer, Peer]:
    """A patient who is heard by a doctor with all of Chromium's means."""
    patient, doctor = await Peer(bench, "p").connect(), await Peer(bench, "d").connect()
    bench.plane.publish("p", replace(SOUND, red=63, nack=True))
    bench.plane.subscribe("d", HEARING)
    return patient, doctor


async def speak(peer: Peer, seqs: Iterable[int]) -> None:
    for n in seqs:
        await peer.send(rtp(n, b"opus%d" % n, pt=111, ssrc=3333, ts=n * 960))


class Feedback:
    """Listens to a peer's raw feedback: `rtcp.parse` tells only where it stands."""

    def __init__(self, peer: Peer) -> None:
        self.told: list[twcc.Feedback] = []
        before = peer._dtls._handle_rtcp_data

        async def hear(data: bytes) -> None:
            for packet in rtcp.parse(data, len(data)):
                if isinstance(packet, rtcp.TransportFeedback):
                    self.told.append(twcc.parse(data[packet.at : packet.end]))
            await before(data)

        peer._dtls._handle_rtcp_data = hear  # type: ignore[method-assign]
