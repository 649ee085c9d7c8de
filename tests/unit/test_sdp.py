"""The SDP answerer against what browsers really send (tests/fixtures/sdp/capture.mjs makes the offers)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest

from media.control import Source, Track
from media.plane import ConsumerSpec, IceCredentials
from media.sdp import Decision, Forwarded, Local, Negotiation, SdpInvalid, SdpUnsupported, decide, parse

OFFERS = Path(__file__).parent.parent / "fixtures" / "sdp"
LOCAL = Local(
    IceCredentials("srvr", "p" * 24), "AB:CD", (("192.0.2.1", 7900), ("2001:db8::1", 7900), ("127.0.0.1", 7900))
)
NUMBERS = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
PLAYOUT = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
BROWSERS = ["chromium", "firefox"]
PUBLISH: dict[str, Source] = {"0": "microphone", "1": "camera"}
TRACKS = {
    "doctor.microphone": Forwarded(
        Track("doctor.microphone", "doctor", "microphone", "audio", "opus"), "r/doctor.microphone"
    ),
    "doctor.camera": Forwarded(Track("doctor.camera", "doctor", "camera", "video", "VP8"), "r/doctor.camera"),
    "doctor.screen": Forwarded(
        Track("doctor.screen", "doctor", "screen", "video", "H264"),
        "r/doctor.screen",
        "packetization-mode=1;profile-level-id=42e01f",
    ),
}


def offer(name: str) -> str:
    return (OFFERS / f"{name}.sdp").read_bytes().decode()


def answer(
    text: str,
    publish: Mapping[str, Source] | None = None,
    subscribe: Mapping[str, str] | None = None,
    before: Mapping[str, ConsumerSpec] | None = None,
) -> Decision:
    numbers = count(1000)
    return decide(
        parse(text),
        Negotiation(
            "r/patient/1",
            publish or {},
            subscribe or {},
            TRACKS,
            LOCAL,
            lambda s: f"r/patient.{s}",
            lambda: next(numbers),
            before or {},
        ),
    )


def sections(sdp: str) -> list[list[str]]:
    return [part.splitlines() for part in re.split(r"(?m)^(?=m=)", sdp)[1:]]


def values(lines: list[str], attribute: str) -> list[str]:
    return [line.partition(":")[2] for line in lines if line.startswith(f"a={attribute}:")]


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_published_microphone_and_camera_become_two_producers(browser: str) -> None:
    said = answer(offer(f"{browser}_publish"), PUBLISH)
    microphone, camera = said.producers["microphone"], said.producers["camera"]
    assert (list(microphone.codecs.values()), list(camera.codecs.values())) == (["opus"], ["VP8"])
    assert (microphone.clock_rate, camera.clock_rate) == (48000, 90000)
    assert len(microphone.ssrcs) == len(camera.ssrcs) == 1
    assert list(camera.rtx.values()) == list(camera.codecs)
    assert camera.nack
    assert camera.pli
    assert camera.mid_extension == microphone.mid_extension
    assert camera.mid_extension is not None
    assert camera.number_extension == microphone.number_extension
    both = [f"{camera.mid_extension} urn:ietf:params:rtp-hdrext:sdes:mid", f"{camera.number_extension} {NUMBERS}"]
    sound, picture = (values(s, "extmap") for s in sections(said.sdp))
    assert sound == picture[:2] == both
    assert [name.split()[1] for name in picture[2:]] == [PLAYOUT], "or no later line offers it (SDP-7)"


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_sender_that_takes_transport_feedback_is_told_no_bitrate(browser: str) -> None:
    camera = answer(offer(f"{browser}_publish"), PUBLISH).producers["camera"]
    assert camera.number_extension is not None
    assert not camera.remb
    without = re.sub(r"(?m)^a=extmap:\d+ http://www.ietf.org.*\r\n", "", offer(f"{browser}_publish"))
    said = answer(without, PUBLISH)
    assert said.producers["camera"].remb
    assert said.producers["camera"].number_extension is None
    assert "transport-cc" not in said.sdp


def test_redundant_audio_and_audio_nack_are_agreed_with_who_offers_red() -> None:
    said = answer(offer("chromium_publish"), PUBLISH)
    audio = sections(said.sdp)[0]
    assert audio[0].endswith(" 63 111"), "a Chromium sends RED only if it stands first"
    assert {"a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111", "a=rtcp-fb:111 nack"} <= set(audio)
    assert (said.producers["microphone"].red, said.producers["microphone"].nack) == (63, True)
    consumer = answer(offer("chromium_subscribe"), subscribe={"0": "doctor.microphone"}).consumers["0"]
    assert (consumer.red, consumer.nack, consumer.number_extension) == (63, True, 3)


@pytest.mark.parametrize("browser", BROWSERS)
def test_playout_delay_is_agreed_with_who_receives_pictures(browser: str) -> None:
    offered = offer(f"{browser}_subscribe")
    video = next(section.mid for section in parse(offered).sections if section.kind == "video")
    said = answer(offered, subscribe={video: "doctor.camera"})
    number = said.consumers[video].playout_extension
    assert number is not None
    assert f"a=extmap:{number} {PLAYOUT}" in said.sdp


def test_who_offers_no_red_is_asked_for_no_audio_again() -> None:
    said = answer(offer("firefox_publish"), PUBLISH)
    assert (said.producers["microphone"].red, said.producers["microphone"].nack) == (None, False)
    assert "nack" not in "".join(sections(said.sdp)[0])


@pytest.mark.parametrize("browser", BROWSERS)
def test_the_answer_is_ice_lite_passive_and_carries_every_address_once(browser: str) -> None:
    said = answer(offer(f"{browser}_publish"), PUBLISH)
    head, (audio, video) = said.sdp.split("m=")[0], sections(said.sdp)
    assert "a=ice-lite\r\n" in head
    assert "a=group:BUNDLE 0 1\r\n" in head
    assert [c.split()[4] for c in values(audio, "candidate")] == ["192.0.2.1", "2001:db8::1", "127.0.0.1"]
    assert "a=end-of-candidates" in audio
    assert not values(video, "candidate")
    for section in (audio, video):
        assert {"a=recvonly", "a=setup:passive", "a=rtcp-mux"} <= set(section)
        assert values(section, "ice-ufrag") == ["srvr"]
    assert any(value.endswith(" minptime=10;useinbandfec=1") for value in values(audio, "fmtp"))
    assert "video-orientation" not in said.sdp


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_subscriber_gets_the_tracks_codec_under_its_own_payload_types(browser: str) -> None:
    said = answer(offer(f"{browser}_subscribe"), subscribe={"0": "doctor.microphone", "1": "doctor.camera"})
    audio, video = sections(said.sdp)
    consumer = said.consumers["1"]
    assert consumer.track == "r/doctor.camera"
    assert consumer.codecs == {"VP8": int(values(video, "rtpmap")[0].split()[0])}
    assert values(video, "msid") == ["doctor doctor.camera"]
    assert values(video, "ssrc-group") == [f"FID {consumer.ssrc} {consumer.rtx_ssrc}"]
    assert [value.split()[0] for value in values(video, "ssrc")] == [str(consumer.ssrc), str(consumer.rtx_ssrc)]
    assert "a=sendonly" in audio
    assert said.consumers["0"].rtx_ssrc is None


def test_the_profile_of_an_h264_track_is_looked_for_first() -> None:
    said = answer(offer("chromium_subscribe"), subscribe={"1": "doctor.screen"})
    assert "profile-level-id=42e01f" in values(sections(said.sdp)[1], "fmtp")[0]
    assert list(said.consumers["1"].codecs) == ["H264"]


def test_what_a_subscriber_cannot_decode_is_answered_inactive() -> None:
    said = answer(offer("firefox_subscribe"), subscribe={"1": "doctor.screen"})
    assert said.undecodable == ("doctor.screen",)
    assert not said.consumers
    assert "a=inactive" in sections(said.sdp)[1]


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize("scenario", ["balanced", "screen_on", "screen_off", "camera_stopped", "ice_restart"])
def test_every_offered_line_is_answered_in_its_place(browser: str, scenario: str) -> None:
    text = offer(f"{browser}_visit_{scenario}")
    offered, said = sections(text), sections(answer(text, {"0": "microphone"}).sdp)
    assert [values(s, "mid") for s in said] == [values(s, "mid") for s in offered]
    assert [s[0].split()[0] for s in said] == [s[0].split()[0] for s in offered]


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_stopped_camera_is_rejected_and_leaves_the_bundle(browser: str) -> None:
    said = answer(offer(f"{browser}_visit_camera_stopped"), {"0": "microphone"}).sdp
    assert sections(said)[1][0].split()[1] == "0"
    assert "a=group:BUNDLE 0 2 3 4\r\n" in said


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_data_channel_is_rejected_and_leaves_the_bundle(browser: str) -> None:
    said = answer(offer(f"{browser}_data_first"), PUBLISH).sdp
    assert sections(said)[2][0].startswith("m=application 0 ")
    assert "a=group:BUNDLE 0 1\r\n" in said


def test_when_the_first_line_is_rejected_the_next_with_a_port_carries_the_candidates() -> None:
    text = offer("chromium_publish").replace("m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 0 UDP/TLS/RTP/SAVPF")
    audio, video = sections((said := answer(text, {"1": "camera"})).sdp)
    assert "a=group:BUNDLE 1\r\n" in said.sdp
    assert not values(audio, "candidate")
    assert len(values(video, "candidate")) == 3


@pytest.mark.parametrize("browser", BROWSERS)
def test_simulcast_is_taken_whole_and_its_streams_are_known_by_their_rids(browser: str) -> None:
    said = answer(offer(f"{browser}_simulcast"), PUBLISH)
    camera, lines = said.producers["camera"], sections(said.sdp)[1]
    assert camera.rids == ("q", "h", "f")
    assert (camera.ssrcs, camera.rtx_ssrcs) == ((), {})
    assert values(lines, "rid") == ["q recv", "h recv", "f recv"]
    assert values(lines, "simulcast") == ["recv q;h;f"]
    known = {value.partition(" ")[2]: int(value.split()[0]) for value in values(lines, "extmap")}
    assert known["urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"] == camera.rid_extension
    assert known["urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"] == camera.repaired_rid_extension


def test_simulcast_whose_packets_do_not_name_their_layer_is_declined() -> None:
    text = re.sub(r"(?m)^a=extmap:\d+ urn:ietf:params:rtp-hdrext:sdes:rtp-.*\r\n", "", offer("chromium_simulcast"))
    said = answer(text, PUBLISH)
    assert said.producers["camera"].rids == ()
    assert not values(sections(said.sdp)[1], "rid")


@pytest.mark.parametrize(
    "line", ["a=rid:!! send", "a=rid:q", "a=simulcast:send q;q", "a=simulcast:send a;b;c;d;e;f;g;h;i"]
)
def test_a_malformed_simulcast_is_invalid(line: str) -> None:
    with pytest.raises(SdpInvalid):
        answer(offer("chromium_simulcast") + line + "\r\n", PUBLISH)


def test_the_offers_own_order_chooses_between_vp8_and_h264() -> None:
    text = offer("aiortc_visit").replace("SAVPF 97 98 99 100 101 102", "SAVPF 99 100 97 98 101 102")
    assert answer(text, PUBLISH).producers["camera"].codecs == {99: "H264"}


def test_h264_in_packetization_mode_0_is_passed_over() -> None:
    text = offer("aiortc_visit").replace("SAVPF 97 98 99 100 101 102", "SAVPF 99 100 97 98 101 102")
    text = text.replace("packetization-mode=1;profile-level-id=42001f", "packetization-mode=0;profile-level-id=42001f")
    assert answer(text, PUBLISH).producers["camera"].codecs == {97: "VP8"}


def test_an_unchanged_subscription_keeps_its_ssrc() -> None:
    subscribe = {"2": "doctor.microphone", "3": "doctor.camera"}
    first = answer(offer("chromium_visit_balanced"), PUBLISH, subscribe)
    again = answer(offer("chromium_visit_screen_on"), PUBLISH, subscribe, first.consumers)
    assert again.consumers == first.consumers


def test_an_ice_restart_shows_in_the_remote_credentials() -> None:
    before, after = (parse(offer(f"chromium_visit_{s}")) for s in ("camera_stopped", "ice_restart"))
    assert before.remote != after.remote
    assert before.fingerprints == after.fingerprints


def test_session_level_transport_attributes_hold_for_every_line() -> None:
    text = offer("chromium_publish")
    lines = [
        line for line in text.splitlines() if line.startswith(("a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup"))
    ]
    rest = [line for line in text.splitlines() if line not in lines]
    rest[4:4] = list(dict.fromkeys(lines))
    assert parse("\r\n".join(rest)).remote == parse(text).remote


@pytest.mark.parametrize(
    ("publish", "subscribe"),
    [
        ({"9": "camera"}, {}),
        ({"0": "camera"}, {}),
        ({"2": "microphone"}, {}),
        ({}, {"0": "doctor.microphone"}),
        ({"0": "microphone"}, {"0": "doctor.microphone"}),
    ],
    ids=["unknown mid", "other kind", "publish on recvonly", "subscribe on sendonly", "named twice"],
)
def test_an_envelope_at_odds_with_the_offer_is_invalid(publish: dict[str, Source], subscribe: dict[str, str]) -> None:
    with pytest.raises(SdpInvalid):
        answer(offer("chromium_visit_balanced"), publish, subscribe)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: "",
        lambda s: s[:40],
        lambda s: s + "x" * (48 << 10),
        lambda s: s + "a=mid:0\r\n" + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 70,
        lambda s: s.replace("a=rtpmap:111 opus/48000/2", "a=rtpmap:999 opus/48000/2"),
        lambda s: s.replace("a=mid:1", "a=mid:0"),
        lambda s: s.replace("a=ice-ufrag:", "a=ice-ufrag:!"),
        lambda s: s.replace("a=fingerprint:sha-256 ", "a=fingerprint:sha-256 zz:"),
        lambda s: s.replace("a=ice-pwd:", "a=x-pwd:"),
    ],
)
def test_a_broken_offer_is_invalid(change: object) -> None:
    assert callable(change)
    with pytest.raises(SdpInvalid):
        answer(change(offer("chromium_publish")), PUBLISH)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.replace("a=setup:actpass", "a=setup:passive"),
        lambda s: s.replace("opus/48000/2", "opus/48000/1"),
        lambda s: s.replace("a=rtcp-mux\r\n", ""),
        lambda s: s.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        lambda s: s.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0"),
        lambda s: re.sub(r"a=fingerprint:sha-256 .*", "a=fingerprint:sha-1 " + ":".join(["ab"] * 20), s),
    ],
    ids=["passive offerer", "mono opus", "no rtcp-mux", "no dtls", "camera outside the bundle", "sha-1"],
)
def test_an_offer_this_server_does_not_speak_is_unsupported(change: object) -> None:
    assert callable(change)
    with pytest.raises(SdpUnsupported):
        answer(change(offer("chromium_publish")), PUBLISH)
