"""The few lines of SDP the load client writes and reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tests.bench.peer import Peer

AUDIO_PT, VIDEO_PT = 111, 96

Direction = Literal["sendonly", "recvonly"]


@dataclass(frozen=True)
class Line:
    """One m-line."""

    kind: Literal["audio", "video"]
    direction: Direction
    ssrc: int | None = None


@dataclass(frozen=True)
class Remote:
    """What the other side said of its transport."""

    address: tuple[str, int]
    ufrag: str
    pwd: str
    setup: str


def write(peer: Peer, lines: list[Line], setup: Literal["actpass", "active"]) -> str:
    """An offer (actpass) or an answer (active)."""
    out = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(str(mid) for mid in range(len(lines))),
        "a=msid-semantic: WMS *",
    ]
    for mid, line in enumerate(lines):
        pt = AUDIO_PT if line.kind == "audio" else VIDEO_PT
        codec = "opus/48000/2" if line.kind == "audio" else "VP8/90000"
        out += [
            f"m={line.kind} 9 UDP/TLS/RTP/SAVPF {pt}",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a={line.direction}",
            "a=rtcp-mux",
            f"a=rtpmap:{pt} {codec}",
            *([f"a=rtcp-fb:{pt} nack", f"a=rtcp-fb:{pt} nack pli"] if line.kind == "video" else []),
            f"a=ice-ufrag:{peer.ufrag}",
            f"a=ice-pwd:{peer.pwd}",
            f"a=fingerprint:sha-256 {peer.certificate.fingerprint}",
            f"a=setup:{setup}",
            *([f"a=ssrc:{line.ssrc} cname:bench", f"a=msid:bench bench{mid}"] if line.ssrc else []),
            peer.candidate(),
            "a=end-of-candidates",
        ]
    return "\r\n".join(out) + "\r\n"


def read(sdp: str, prefix: str) -> Remote:
    """The transport of the first m-line: its candidate whose address begins with `prefix`."""

    def one(name: str) -> str:
        found = re.search(rf"^a={name}:(\S+)", sdp, re.MULTILINE)
        assert found, f"no {name} in the answer"
        return found.group(1)

    for ip, port in re.findall(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", sdp, re.MULTILINE | re.IGNORECASE):
        if ip.startswith(prefix):
            return Remote((ip, int(port)), one("ice-ufrag"), one("ice-pwd"), one("setup"))
    raise AssertionError(f"no candidate under {prefix} in the answer")


def payload_types(sdp: str) -> set[int]:
    """Payload types named by the m-lines."""
    return {int(pt) for line in re.findall(r"^m=\S+ \d+ \S+ (.*)$", sdp, re.MULTILINE) for pt in line.split()}
