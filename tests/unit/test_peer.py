"""teleconsult_peer: the headless participant's counting, and the private names of aiortc that it leans on."""

from __future__ import annotations

import inspect

from aiortc import RTCDtlsTransport, RTCRtpSender

from teleconsult_peer import FRAMES_PER_S, Crossings, SyntheticPicture, SyntheticSound


def packet(payload: bytes, sequence: int = 1, rtx: bool = False) -> bytes:
    head = bytes([0x80, 97 if rtx else 96]) + sequence.to_bytes(2, "big") + bytes(8)
    return head + (sequence.to_bytes(2, "big") if rtx else b"") + payload


def test_a_packet_that_arrives_is_delivered_with_its_delay() -> None:
    crossings = Crossings()
    crossings.counting = True
    crossings.left(packet(b"x" * 40))
    crossings.came(packet(b"x" * 40, sequence=9000))
    assert crossings.delivered == 1.0
    assert 0 <= crossings.delays_ms[0] < 1000


def test_a_small_packet_is_known_though_its_header_is_rewritten() -> None:
    crossings = Crossings()
    crossings.counting = True
    crossings.left(packet(b"tiny", sequence=1))
    crossings.came(bytes([0x90]) + packet(b"", sequence=70)[1:] + b"\xbe\xde\x00\x01" + bytes(4) + b"tiny")
    assert crossings.delivered == 1.0


def test_a_lost_packet_counts_as_sent_only() -> None:
    crossings = Crossings()
    crossings.counting = True
    crossings.left(packet(b"x" * 40))
    crossings.left(packet(b"y" * 40))
    crossings.came(packet(b"y" * 40))
    assert crossings.delivered == 0.5


def test_a_retransmission_delivers_once() -> None:
    crossings = Crossings()
    crossings.counting = True
    crossings.left(packet(b"x" * 40))
    crossings.came(packet(b"x" * 40, rtx=True))
    crossings.came(packet(b"x" * 40))
    assert crossings.delivered == 1.0


def test_what_was_sent_before_counting_began_does_not_count() -> None:
    crossings = Crossings()
    crossings.left(packet(b"x" * 40))
    crossings.came(packet(b"x" * 40))
    assert crossings.delivered is None
    assert crossings.delays_ms == []


async def test_no_two_pictures_and_no_two_sounds_are_alike() -> None:
    picture, sound = SyntheticPicture(), SyntheticSound()
    frames = [bytes((await picture.recv()).planes[0]) for _ in range(3)]
    sounds = [bytes((await sound.recv()).planes[0]) for _ in range(5)]
    assert len(set(frames)) == 3
    assert len(set(sounds)) == 5


async def test_pictures_are_stamped_at_their_rate() -> None:
    picture = SyntheticPicture()
    first, second = await picture.recv(), await picture.recv()
    assert (second.pts - first.pts) * second.time_base * FRAMES_PER_S == 1


def test_aiortc_still_has_the_private_names_we_watch() -> None:
    assert list(inspect.signature(RTCDtlsTransport._send_rtp).parameters) == ["self", "data"]
    assert list(inspect.signature(RTCDtlsTransport._handle_rtp_data).parameters) == ["self", "data", "arrival_time_ms"]
    assert "self._ssrc" in inspect.getsource(RTCRtpSender.__init__)
