"""Choosing what an offer becomes: the answer, what the plane must produce and consume, and what cannot be had.

Pure: SSRCs come from a function that is handed in, and what a transport negotiated before comes as `Forwarded`, so a
renegotiation keeps the SSRC of every subscription that did not change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from media.control import Source, Track
from media.plane import ConsumerSpec, IceCredentials, ProducerSpec
from media.sdp.answer import Answer, AnswerSection, Local, write
from media.sdp.codecs import (
    NUMBER_EXTENSION,
    ONE_BYTE_IDS,
    Chosen,
    first_supported,
    matching,
    number_extension,
    supported,
)
from media.sdp.offer import Offer, SdpInvalid, SdpUnsupported, Section

MID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
PLAYOUT_EXTENSION = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
REPAIRED_RID_EXTENSION = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

__all__ = ["Decision", "Forwarded", "Local", "Negotiation", "decide"]


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A track that can be subscribed to. `name` is what the plane calls it; `fmtp` is its publisher's."""

    track: Track
    name: str
    fmtp: str = ""


@dataclass(frozen=True, slots=True)
class Negotiation:
    """What surrounds an offer. `key` and `name_of` give the plane's names; `before` maps a mid to its last consumer."""

    key: str
    publish: Mapping[str, Source]
    subscribe: Mapping[str, str]
    tracks: Mapping[str, Forwarded]
    local: Local
    name_of: Callable[[Source], str]
    new_ssrc: Callable[[], int]
    before: Mapping[str, ConsumerSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """`producers` by source, with the fmtp agreed; `consumers` by mid; `undecodable` are the track ids answered inactive."""

    sdp: str
    remote: IceCredentials
    fingerprints: tuple[tuple[str, str], ...]
    producers: Mapping[Source, ProducerSpec]
    fmtp: Mapping[Source, str]
    consumers: Mapping[str, ConsumerSpec]
    undecodable: tuple[str, ...]


def decide(offer: Offer, given: Negotiation) -> Decision:
    """Answer an offer. Raises `SdpError`; every subscribed track must be in `given.tracks`."""
    _check_envelope(offer, given)
    bundled = _bundled(offer)
    producers: dict[Source, ProducerSpec] = {}
    fmtp: dict[Source, str] = {}
    consumers: dict[str, ConsumerSpec] = {}
    undecodable: list[str] = []
    answered: list[AnswerSection] = []
    for section in offer.sections:
        if section.mid in given.publish:
            source = given.publish[section.mid]
            chosen = _to_publish(section)
            producers[source] = _producer(given.name_of(source), section, chosen)
            fmtp[source] = chosen.codec.fmtp
            answered.append(_receiving(section, chosen))
        elif section.mid in given.subscribe:
            forwarded = given.tracks[given.subscribe[section.mid]]
            found = matching(section, forwarded.track.codec, forwarded.fmtp)
            if found is None:  # SDP-4
                undecodable.append(forwarded.track.id)
                answered.append(_idle(section))
                continue
            consumer = _consumer(given, section, forwarded, found)
            consumers[section.mid] = consumer
            answered.append(_sending(section, found, forwarded.track, consumer))
        else:
            answered.append(_idle(section) if section.mid in bundled else AnswerSection(section))
    sdp = write(Answer(tuple(answered), offer.bundle, given.local))
    return Decision(sdp, offer.remote, offer.fingerprints, producers, fmtp, consumers, tuple(undecodable))


def _check_envelope(offer: Offer, given: Negotiation) -> None:
    """MEDIA-1, MEDIA-2: each named m-line is there, is named once, is of the right kind and goes the right way."""
    by_mid = {section.mid: section for section in offer.sections if section.mid}
    if not by_mid.keys() >= given.publish.keys() | given.subscribe.keys():
        raise SdpInvalid("a mid is named that the offer does not hold")
    if given.publish.keys() & given.subscribe.keys():
        raise SdpInvalid("a mid is both published and subscribed")
    for mid, source in given.publish.items():
        _check(by_mid[mid], _kind(source), ("sendonly", "sendrecv"), offer)
    for mid, track in given.subscribe.items():
        _check(by_mid[mid], given.tracks[track].track.kind, ("recvonly", "sendrecv"), offer)


def _check(section: Section, kind: str, directions: Iterable[str], offer: Offer) -> None:
    if section.rejected:
        raise SdpInvalid("a named m-line is rejected by the offer itself")
    if section.kind != kind:
        raise SdpInvalid("a named m-line is of another kind")
    if section.direction not in directions:
        raise SdpInvalid("a named m-line points the other way")
    if section.mid not in _bundled(offer):  # SDP-3
        raise SdpUnsupported("a named m-line is not RTP over DTLS with rtcp-mux in the bundle")


def _bundled(offer: Offer) -> set[str]:
    """The mids that our one transport can carry. Without a bundle, that is the first m-line's alone."""
    group = offer.bundle or tuple(section.mid for section in offer.sections if section.mid)[:1]
    return {section.mid for section in offer.sections if section.mid in group and _speakable(section)}


def _speakable(section: Section) -> bool:
    secure = section.protocol.endswith("TLS/RTP/SAVPF")  # RFC 8834 §4.2
    return section.kind in ("audio", "video") and secure and section.rtcp_mux and not section.rejected


def _kind(source: Source) -> str:
    return "audio" if source == "microphone" else "video"


def _to_publish(section: Section) -> Chosen:
    chosen = first_supported(section)
    if chosen is None:
        raise SdpUnsupported("no offered codec of a published m-line is one this server forwards")
    return chosen


def _extension(section: Section, uri: str) -> int | None:
    number = section.extensions.get(uri)
    return number if number in ONE_BYTE_IDS else None


def _numbered(section: Section, chosen: Chosen) -> int | None:
    return number_extension(section) if "transport-cc" in chosen.feedback else None


def _playout(section: Section) -> int | None:
    """SDP-7."""
    return _extension(section, PLAYOUT_EXTENSION) if section.kind == "video" else None


def _layers(section: Section, chosen: Chosen) -> tuple[str, ...]:
    """The simulcast streams we take: all that are offered, if their packets say which is which; of VP9 one, in layers."""
    if chosen.name == "VP9":
        return ()
    named = tuple(rid for rid in section.simulcast if rid in section.rids)
    can = _extension(section, RID_EXTENSION) is not None and _extension(section, MID_EXTENSION) is not None
    return named if can and section.kind == "video" and len(named) > 1 else ()


def _producer(name: str, section: Section, chosen: Chosen) -> ProducerSpec:
    ssrcs, repairs = _senders(section, chosen)
    payload_type, feedback = chosen.codec.payload_type, chosen.feedback
    rids = _layers(section, chosen)
    return ProducerSpec(
        track=name,
        kind="audio" if section.kind == "audio" else "video",
        mid=section.mid,
        codecs={payload_type: chosen.name},
        clock_rate=chosen.codec.clock_rate,
        rtx={chosen.rtx: payload_type} if chosen.rtx is not None else {},
        mid_extension=_extension(section, MID_EXTENSION),
        ssrcs=() if rids else ssrcs,
        rtx_ssrcs={} if rids else repairs,
        nack="nack" in feedback,
        pli="nack pli" in feedback,
        remb="goog-remb" in feedback,
        number_extension=_numbered(section, chosen),
        red=chosen.red,
        rids=rids,
        rid_extension=_extension(section, RID_EXTENSION) if rids else None,
        repaired_rid_extension=_extension(section, REPAIRED_RID_EXTENSION) if rids else None,
    )


def _senders(section: Section, chosen: Chosen) -> tuple[tuple[int, ...], dict[int, int]]:
    """The one media SSRC offered and its RTX SSRC (RFC 5576 §4.2), where the offer tells; without, mid tells."""
    repair = {pair[1]: pair[0] for name, pair in section.groups if name == "FID" and len(pair) == 2}
    grouped = {ssrc for name, members in section.groups if name != "SIM" for ssrc in members[1:]}
    primary = [ssrc for ssrc in section.ssrcs if ssrc not in grouped][:1]
    if chosen.rtx is None:
        return tuple(primary), {}
    return tuple(primary), {rtx: ssrc for rtx, ssrc in repair.items() if ssrc in primary}


def _consumer(given: Negotiation, section: Section, forwarded: Forwarded, found: Chosen) -> ConsumerSpec:
    mid = section.mid
    codecs = {found.name: found.codec.payload_type}
    rtx = {found.codec.payload_type: found.rtx} if found.rtx is not None else {}
    last = given.before.get(mid)
    wanted = ConsumerSpec(
        id="",
        track=forwarded.name,
        ssrc=0,
        codecs=codecs,
        rtx=rtx,
        cname=forwarded.track.seat,
        number_extension=_numbered(section, found),
        playout_extension=_playout(section),
        red=found.red,
        nack="nack" in found.feedback,
    )
    if last is not None and replace(last, id="", ssrc=0, rtx_ssrc=None) == wanted:
        return last
    ssrc = given.new_ssrc()
    rtx_ssrc = given.new_ssrc() if rtx else None
    return replace(wanted, id=f"{given.key}:{mid}:{ssrc:08x}", ssrc=ssrc, rtx_ssrc=rtx_ssrc)


def _receiving(section: Section, chosen: Chosen) -> AnswerSection:
    rids = _layers(section, chosen)
    numbers = {
        MID_EXTENSION: _extension(section, MID_EXTENSION),
        NUMBER_EXTENSION: _numbered(section, chosen),
        RID_EXTENSION: _extension(section, RID_EXTENSION) if rids else None,
        REPAIRED_RID_EXTENSION: _extension(section, REPAIRED_RID_EXTENSION) if rids else None,
        PLAYOUT_EXTENSION: _playout(section),
    }
    extensions = tuple((number, uri) for uri, number in numbers.items() if number is not None)
    return AnswerSection(section, "recvonly", (chosen,), extensions, rids=rids)


def _sending(section: Section, found: Chosen, track: Track, consumer: ConsumerSpec) -> AnswerSection:
    numbers = ((consumer.number_extension, NUMBER_EXTENSION), (consumer.playout_extension, PLAYOUT_EXTENSION))
    extensions = tuple((number, uri) for number, uri in numbers if number is not None)
    return AnswerSection(section, "sendonly", (found,), extensions, track, consumer)


def _idle(section: Section) -> AnswerSection:
    """Inactive, with whatever codec both know: an m-line with none would have to be rejected, and lose its place."""
    known = supported(section)[:1] or [Chosen(codec, codec.name) for codec in section.codecs if codec.name][:1]
    return AnswerSection(section, "inactive", tuple(known)) if known else AnswerSection(section)
