"""Which track an SSRC that no SDP named belongs to."""

from __future__ import annotations

from collections.abc import Callable

from media.plane import IceCredentials, ProducerSpec, TransportSpec
from media.transports.transport import Track, Transport
from tests.contract.plane_peers import audio, video


def transport(*specs: ProducerSpec) -> Transport:
    ours, theirs = IceCredentials("ours", "p" * 22), IceCredentials("them", "q" * 22)
    made = Transport(TransportSpec("t", ours, theirs, ()), 99, 0.0, 0)
    for spec in specs:
        made.tracks[spec.track] = Track(spec, made)
    return made


def mid(value: bytes | None) -> Callable[[int], bytes | None]:
    return lambda wanted: value if wanted == 1 else None


def test_the_mid_extension_decides() -> None:
    of = transport(video("camera", mid="1"), video("screen", mid="2"))
    stream = of.latch(5, 96, mid(b"2"))
    assert stream == (of.tracks["screen"].layers[0], False)
    assert of.streams[5] == stream


def test_a_repair_stream_is_known_by_its_payload_type() -> None:
    of = transport(video("camera", mid="1"), video("screen", mid="2"))
    assert of.latch(6, 97, mid(b"1")) == (of.tracks["camera"].layers[0], True)


def test_without_a_mid_the_only_track_with_that_payload_type_is_meant() -> None:
    of = transport(video("camera"), audio("microphone"))
    assert of.latch(5, 111, mid(None)) == (of.tracks["microphone"].layers[0], False)
    assert of.latch(6, 97, mid(None)) == (of.tracks["camera"].layers[0], True)
    assert of.latch(7, 42, mid(None)) is None


def test_what_could_be_either_of_two_is_neither() -> None:
    of = transport(video("camera", mid="1"), video("screen", mid="2"))
    assert of.latch(5, 96, mid(None)) is None
    assert of.streams == {}


def test_a_payload_type_the_named_track_did_not_agree_to_is_refused() -> None:
    of = transport(video("camera", mid="1"), audio("microphone"))
    assert of.latch(5, 111, mid(b"1")) is None
