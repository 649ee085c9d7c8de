"""From the words of worker and recorder to those of a visit."""

from __future__ import annotations

from media import control as media
from recorder import control as recorder
from signaling.law.reported import GapDeclared, QualityTold, RoomFound, StreamsAlive, TracksChanged, TransportChanged
from signaling.law.terms import Gap, Stream, Track
from signaling.live import translate

CAMERA = media.Track("patient.camera", "patient", "camera", "video", "VP8")
SHOWN = Track("patient.camera", "patient", "camera", "video", "VP8")


def test_news_of_a_room_are_told_to_its_visit() -> None:
    assert translate.media_news(media.TracksChanged("V1", [CAMERA])) == ("V1", TracksChanged((SHOWN,)))
    gone = media.TransportChanged("V1", "patient", "p1", "gone")
    assert translate.media_news(gone) == ("V1", TransportChanged("patient", "p1", "none"))


def test_quality_is_told_in_the_integers_of_the_record() -> None:
    told = translate.media_news(media.Quality("V1", "doctor", 0.0125, 0.3, None, 1_000_000, 0))
    detail = {
        "loss_up_permille": 12,
        "loss_down_permille": 300,
        "rtt_ms": None,
        "bitrate_up_bps": 1_000_000,
        "bitrate_down_bps": 0,
    }
    assert told == ("V1", QualityTold("doctor", detail))


def test_a_room_found_again_keeps_its_seats_and_a_gone_transport_is_none() -> None:
    seats = {"patient": media.SeatState("p1", "gone"), "guest": media.SeatState("g", "connected")}
    found = translate.room("m-1", media.RoomState("V1", [CAMERA], seats))
    assert found == RoomFound("m-1", (SHOWN,), {"patient": ("p1", "none")})


def test_news_of_a_recording_are_told_to_its_visit() -> None:
    alive = recorder.Alive("V1", [recorder.StreamAlive("doctor", 9, 2, 4100, "recording")])
    assert translate.recorder_news(alive) == ("V1", StreamsAlive((Stream("doctor", 4100, "recording"),)))
    gap = recorder.Gapped("V1", "doctor", 1, 2, "worker")
    assert translate.recorder_news(gap) == ("V1", GapDeclared(Gap("doctor", 1, 2, "worker")))


def test_news_of_no_visit_or_of_no_seat_of_ours_is_nobodys() -> None:
    assert translate.media_news(media.TapChanged(True, 0, 0)) is None
    assert translate.media_news(media.TransportChanged("V1", "guest", "p", "connected")) is None
    assert translate.recorder_news(recorder.Degraded("disk_low", False)) is None
