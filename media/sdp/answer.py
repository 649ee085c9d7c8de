"""Writing an answer: the shape that Chromium, Firefox and aiortc all read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from media.control import Track
from media.plane import ConsumerSpec, IceCredentials
from media.sdp.codecs import Chosen
from media.sdp.offer import Direction, Section


@dataclass(frozen=True, slots=True)
class Local:
    """Our side of a transport. `version` grows with every answer of one peer connection (RFC 8866 §5.2)."""

    credentials: IceCredentials
    fingerprint: str
    addresses: tuple[tuple[str, int], ...]
    session: int = 1
    version: int = 1
    restarts: int = 0
    """How often ICE was restarted."""
    tcp: bool = False
    """Whether the addresses are reached by TCP too."""


@dataclass(frozen=True, slots=True)
class AnswerSection:
    """One answered m-line. No `direction` means rejected; `track` and `consumer` are there when we send."""

    offered: Section
    direction: Direction | None = None
    codecs: tuple[Chosen, ...] = ()
    extensions: tuple[tuple[int, str], ...] = ()
    track: Track | None = None
    consumer: ConsumerSpec | None = None
    rids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """All of them, in the offer's order, and the offer's bundle."""

    sections: tuple[AnswerSection, ...]
    bundle: tuple[str, ...]
    local: Local


def write(answer: Answer) -> str:
    """The answer as text."""
    group = _group(answer)
    lines = [*_session(answer.local, group)]
    tag = group[0] if group else next((s.offered.mid for s in answer.sections if s.direction is not None), "")
    for section in answer.sections:
        lines += _section(section, answer.local, tagged=section.offered.mid == tag)
    return "\r\n".join(lines) + "\r\n"


def _group(answer: Answer) -> list[str]:
    """RFC 9143 §7.3: rejected m-lines leave the group; the first left with a port of its own becomes the tag."""
    kept = {section.offered.mid: section.offered for section in answer.sections if section.direction is not None}
    group = [mid for mid in answer.bundle if mid in kept]
    tag = next((mid for mid in group if kept[mid].port), None)
    return group if tag is None else [tag, *(mid for mid in group if mid != tag)]


def _session(local: Local, group: list[str]) -> Iterator[str]:
    yield "v=0"
    yield f"o=- {local.session} {local.version} IN IP4 0.0.0.0"
    yield "s=-"
    yield "t=0 0"
    yield "a=ice-lite"
    if group:
        yield "a=group:BUNDLE " + " ".join(group)
    yield "a=msid-semantic: WMS *"


def _section(section: AnswerSection, local: Local, tagged: bool) -> Iterator[str]:
    offered = section.offered
    if section.direction is None:
        yield from _rejected(offered)
        return
    # A Chromium sends RED only if it stands before the codec it repeats.
    formats = [str(n) for c in section.codecs for n in (c.red, c.codec.payload_type, c.rtx) if n is not None]
    yield f"m={offered.kind} 9 {offered.protocol} {' '.join(formats)}"
    yield "c=IN IP4 0.0.0.0"
    yield f"a=mid:{offered.mid}" if offered.mid else "a=rtcp:9 IN IP4 0.0.0.0"
    yield f"a={section.direction}"
    yield from _transport(local, tagged)
    yield "a=rtcp-mux"
    if offered.rtcp_rsize:
        yield "a=rtcp-rsize"
    for number, uri in section.extensions:
        yield f"a=extmap:{number} {uri}"
    for chosen in section.codecs:
        yield from _codec(chosen)
    for rid in section.rids:
        yield f"a=rid:{rid} recv"
    if section.rids:
        yield f"a=simulcast:recv {';'.join(section.rids)}"
    if section.track is not None and section.consumer is not None:
        yield from _sender(section.track, section.consumer)


def _rejected(offered: Section) -> Iterator[str]:
    yield f"m={offered.kind} 0 {offered.protocol} {' '.join(offered.formats)}"
    yield "c=IN IP4 0.0.0.0"
    if offered.mid:
        yield f"a=mid:{offered.mid}"
    yield "a=inactive"


def _transport(local: Local, tagged: bool) -> Iterator[str]:
    """The tag's attributes hold for the bundle; aiortc wants credentials on each m-line, and that does no harm."""
    yield f"a=ice-ufrag:{local.credentials.ufrag}"
    yield f"a=ice-pwd:{local.credentials.pwd}"
    yield f"a=fingerprint:sha-256 {local.fingerprint}"
    yield "a=setup:passive"
    if tagged:
        for rank, (ip, port) in enumerate(local.addresses):
            yield f"a=candidate:{rank + 1} 1 udp {_priority(rank, True, local.restarts)} {ip} {port} typ host"
        for rank, (ip, port) in enumerate(local.addresses if local.tcp else ()):
            priority = _priority(rank, False, local.restarts)
            yield f"a=candidate:t{rank + 1} 1 tcp {priority} {ip} {port} typ host tcptype passive"
        yield "a=end-of-candidates"


_MOST_RESTARTS = 40
"""Later ones stand beside the fortieth."""


def _priority(rank: int, udp: bool, restarts: int) -> int:
    """In the place of RFC 8445 §5.1.2.1: best first, UDP before TCP, and those of a restart above all before them.

    They stay below a client's peer-reflexive candidates (type preference 110) and above its relayed ones (0 to 2), so that a
    pair's priority is ours to set: a client that lost its old way goes over to the new one at its first answer, not when it
    gives the old one up (3 s).
    """
    return (64 + min(restarts, _MOST_RESTARTS)) << 24 | udp << 23 | (32767 - rank) << 8 | 255


def _codec(chosen: Chosen) -> Iterator[str]:
    codec = chosen.codec
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    yield f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"
    if chosen.fmtp:
        yield f"a=fmtp:{codec.payload_type} {chosen.fmtp}"
    for kind in chosen.feedback:
        yield f"a=rtcp-fb:{codec.payload_type} {kind}"
    if chosen.red is not None:
        yield f"a=rtpmap:{chosen.red} red/{codec.clock_rate}{channels}"
        yield f"a=fmtp:{chosen.red} {codec.payload_type}/{codec.payload_type}"
    if chosen.rtx is not None:
        yield f"a=rtpmap:{chosen.rtx} rtx/{codec.clock_rate}"
        yield f"a=fmtp:{chosen.rtx} apt={codec.payload_type}"


def _sender(track: Track, consumer: ConsumerSpec) -> Iterator[str]:
    """MEDIA-4."""
    yield f"a=msid:{track.seat} {track.id}"
    if consumer.rtx_ssrc is not None:
        yield f"a=ssrc-group:FID {consumer.ssrc} {consumer.rtx_ssrc}"
    for ssrc in (consumer.ssrc, consumer.rtx_ssrc):
        if ssrc is not None:
            yield f"a=ssrc:{ssrc} cname:{consumer.cname}"
