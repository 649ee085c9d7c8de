"""The recorder over its real doors, with real encoded media: what goes in as RTP comes out playable, unchanged and proven."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import av
import pytest

from config.link import Refusal
from recorder import control
from recorder.bundle.directory import verify_directory
from tests.recordings import bodies, complaints, parts
from tests.tapping import RECOVERED, SEATS, VISIT, Clip, Sent, Studio, clip, consent

VERIFY = Path(__file__).parents[2] / "recorder" / "verify.sh"


def packets_of(path: Path, kind: str) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return [bytes(p) for p in container.demux(stream) if p.size]


@pytest.mark.parametrize("codec", ["VP8", "VP9", "H264"])
async def test_a_clip_comes_back_playable_unchanged_and_verified(tmp_path: Path, codec: str) -> None:
    studio, what = Studio(tmp_path), clip(codec)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", codec)
        await studio.play(worker, "patient", what)
        await studio.end()
    verified(studio.root)
    (part,) = parts(studio.root, tmp_path)
    assert complaints(part.path) == ""
    assert packets_of(part.path, "audio") == list(what.frames["microphone"])
    video = packets_of(part.path, "video")
    assert len(video) == len(what.frames["camera"])
    if codec == "VP9":  # the smaller of its two layers is not kept
        assert video == list(what.frames["camera"])
    assert [b["tracks"] for b in bodies(studio.root, "segment")]
    subprocess.run(["ffprobe", "-v", "error", str(part.path)], check=True)


def verified(root: Path) -> None:
    """Intact and complete, says each of the two verifiers."""
    verdict = verify_directory(root)
    assert verdict.broken == []
    assert verdict.complete
    shell = subprocess.run(["sh", VERIFY, root], capture_output=True, text=True, check=False)
    assert (shell.returncode, shell.stderr) == (0, ""), shell.stdout


def gaps(root: Path) -> list[tuple[int, int, str]]:
    return [(g["from_ms"], g["to_ms"], g["cause"]) for g in bodies(root, "gap")]


def about(ms: int, wanted: int, slack: int = 300) -> bool:
    return abs(ms - wanted) <= slack


async def test_doctor_and_patient_are_streams_of_their_own_and_no_packet_before_start_is_kept(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=3)
    async with studio.running(), studio.worker() as worker:
        for seat in ("doctor", "patient"):
            worker.publish(seat, "microphone", "opus")
            worker.publish(seat, "camera", "VP8")
        await studio.play(worker, "doctor", what, until_ms=1000)  # REC-3
        await studio.begin("doctor", "patient")
        await studio.play(worker, "doctor", what)
        await studio.play(worker, "patient", what)
        await studio.end()
    verified(studio.root)
    held = parts(studio.root, tmp_path)
    assert {part.stream for part in held} == {"doctor", "patient"}
    for part in held:
        assert complaints(part.path) == ""
        assert packets_of(part.path, "audio") == list(what.frames["microphone"])


async def test_start_without_consent_is_refused(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    async with studio.running():
        await studio.link.ask(control.Open(VISIT, SEATS))
        await studio.link.ask(control.Note(VISIT, "c", "consent", consent("doctor")))
        with pytest.raises(Refusal) as refused:
            await studio.link.ask(control.Start(VISIT, ["doctor", "patient"]))
    assert refused.value.code == "consent_missing"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (control.Note("nobody", "k", "withdraw", {"seat": "doctor"}), "visit_unknown"),
        (control.Note(VISIT, "k", "withdraw", {"seat": "doctor", "name": "x"}), "record_invalid"),
        (control.Note(VISIT, "k", "event", {"event": "No Such Form"}), "record_invalid"),
        (control.Start("nobody", ["doctor"]), "visit_unknown"),
        (control.Close("nobody", "completed"), "visit_unknown"),
        (control.Close("../etc", "completed"), "visit_unknown"),
        (control.Open("../etc", SEATS), "visit_unknown"),
    ],
)
async def test_what_cannot_be_recorded_is_refused_by_name(
    tmp_path: Path, message: control.ToRecorder, code: str
) -> None:
    studio = Studio(tmp_path)
    async with studio.running():
        await studio.link.ask(control.Open(VISIT, SEATS))
        with pytest.raises(Refusal) as refused:
            await studio.link.ask(message)
    assert refused.value.code == code


async def test_a_repeated_request_is_answered_as_the_first_was_also_by_a_later_life(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    note = control.Note(VISIT, "key-1", "consent", consent("doctor"))
    async with studio.running():
        opened = await studio.link.ask(control.Open(VISIT, SEATS))
        first = await studio.link.ask(note)
        assert await studio.link.ask(note) == first
        started = await studio.link.ask(control.Start(VISIT, ["doctor"]))
    async with studio.running():
        assert await studio.link.ask(control.Open(VISIT, SEATS)) == opened
        assert await studio.link.ask(note) == first
        assert await studio.link.ask(control.Start(VISIT, ["doctor"])) == started
        closed = await studio.end()
        assert await studio.link.ask(control.Close(VISIT, "completed")) == closed
        with pytest.raises(Refusal) as refused:
            await studio.link.ask(control.Note(VISIT, "late", "consent", consent("doctor")))
        assert refused.value.code == "visit_closed"
    async with studio.running():
        assert await studio.link.ask(control.Close(VISIT, "completed")) == closed
        assert await studio.link.ask(control.Open(VISIT, SEATS)) == opened
    verified(studio.root)


async def test_packets_lost_for_good_are_counted_and_the_picture_waits_for_a_keyframe(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=5)
    camera = [n for n, sent in enumerate(what.packets) if sent.source == "camera" and sent.at_ms == 1000]
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what, lost=lambda number, sent: number == camera[0])
        await studio.end()
    verified(studio.root)
    tracks = [t for body in bodies(studio.root, "segment") for t in body["tracks"]]
    assert sum(t["lost"] for t in tracks) == 1
    assert sum(t["expected"] for t in tracks) == len(what.packets)
    (frozen,) = (b for b in bodies(studio.root, "event") if b["event"] == "frozen")
    assert about(frozen["detail"]["to_ms"] - frozen["detail"]["from_ms"], 1000, 150)
    (part,) = parts(studio.root, tmp_path)
    assert complaints(part.path) == ""
    assert packets_of(part.path, "audio") == list(what.frames["microphone"])


async def test_a_retransmission_within_the_window_fills_its_hole(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=3)
    late = {n for n, sent in enumerate(what.packets) if n % 17 == 3}
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        due: list[Sent] = []

        def lost(number: int, sent: Sent) -> bool:
            while due and due[0].at_ms <= sent.at_ms - 120:
                again = due.pop(0)
                worker.send("patient", again.source, again.packet, RECOVERED)
            if number in late:
                due.append(sent)
            return number in late

        await studio.play(worker, "patient", what, lost=lost)
        for again in due:
            worker.send("patient", again.source, again.packet, RECOVERED)
        await studio.settle(worker)
        await studio.end()
    verified(studio.root)
    tracks = [t for body in bodies(studio.root, "segment") for t in body["tracks"]]
    assert sum(t["lost"] for t in tracks) == 0
    assert sum(t["recovered"] for t in tracks) == len(late)
    (part,) = parts(studio.root, tmp_path)
    assert packets_of(part.path, "audio") == list(what.frames["microphone"])
    assert len(packets_of(part.path, "video")) == len(what.frames["camera"])


async def test_silence_of_all_tracks_is_a_declared_gap_of_the_network(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=9)

    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what, lost=lambda _, sent: 2000 <= sent.at_ms < 6000)
        await studio.end()
    verified(studio.root)
    # Between the last packet and the end of the visit there may be another one.
    assert about(max(end - begin for begin, end, cause in gaps(studio.root) if cause == "network"), 4000)
    assert any(isinstance(news, control.Gapped) and news.cause == "network" for news in studio.news)
    for part in parts(studio.root, tmp_path):
        assert complaints(part.path) == ""


async def test_a_camera_turned_on_later_begins_a_new_part(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=6)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what, lost=lambda _, sent: sent.source == "camera" and sent.at_ms < 2000)
        await studio.end()
    verified(studio.root)
    assert [(b["why"], len(b["tracks"])) for b in bodies(studio.root, "part")] == [("start", 1), ("tracks", 2)]
    first, second = parts(studio.root, tmp_path)
    assert complaints(first.path) + complaints(second.path) == ""
    assert packets_of(first.path, "audio") + packets_of(second.path, "audio") == list(what.frames["microphone"])


async def test_a_new_ssrc_and_a_new_codec_begin_new_parts(tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", clip("VP8", seconds=3, audio=False))
        worker.unpublish("patient", "camera")
        worker.publish("patient", "camera", "VP8", ssrc=7)
        await studio.play(worker, "patient", clip("VP8", seconds=3, audio=False))
        worker.unpublish("patient", "camera")
        worker.publish("patient", "camera", "H264", ssrc=8)
        await studio.play(worker, "patient", clip("H264", seconds=3, audio=False))
        await studio.end()
    verified(studio.root)
    assert [(b["why"], b["container"]) for b in bodies(studio.root, "part")] == [
        ("start", "webm"),
        ("ssrc", "webm"),
        ("codec", "matroska"),
    ]
    for part in parts(studio.root, tmp_path):
        assert complaints(part.path) == ""
        assert len(packets_of(part.path, "video")) == 45


async def test_a_pause_of_more_than_ten_seconds_begins_a_new_part(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=3, video=False)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        await studio.play(worker, "patient", what)
        await studio.link.ask(
            control.Note(VISIT, "mute", "event", {"event": "microphone", "seat": "patient", "state": "muted"})
        )
        await studio.wait_ms(worker, 12_000)
        await studio.link.ask(
            control.Note(VISIT, "on", "event", {"event": "microphone", "seat": "patient", "state": "on"})
        )
        await studio.play(worker, "patient", what)
        await studio.end()
    verified(studio.root)
    assert len(bodies(studio.root, "part")) == 2
    assert about(max(end - begin for begin, end, cause in gaps(studio.root) if cause == "off"), 12_000, 600)


async def test_a_source_is_off_from_when_it_ended_however_late_the_recorder_hears_of_it(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=2)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what)
        for source in ("microphone", "camera"):
            worker.unpublish("patient", source)
        studio.now_us += 3_000_000  # before the recorder reads what was said
        await studio.wait_ms(worker, 2000)
        await studio.end()
    verified(studio.root)
    assert {cause for begin, end, cause in gaps(studio.root) if end - begin > 300} == {"off"}


async def test_what_stands_ahead_of_the_clock_when_the_visit_ends_leaves_no_hole(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=3)
    ahead = []
    for sent in what.packets:
        rate_khz = 48 if sent.source == "microphone" else 90
        by_ms = 0 if sent.at_ms < 2500 else 1900 if sent.source == "camera" and sent.at_ms > 2900 else 1500
        packet = bytearray(sent.packet)
        packet[4:8] = (int.from_bytes(packet[4:8]) + by_ms * rate_khz & 0xFFFFFFFF).to_bytes(4)
        ahead.append(sent._replace(packet=bytes(packet)))
    async with studio.running(), studio.worker() as worker:
        await studio.begin("patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", dataclasses.replace(what, packets=tuple(ahead)))
        await studio.end()
    verified(studio.root)
    assert bodies(studio.root, "close")[0]["end_ms"] > 4800


async def test_withdrawn_consent_stops_the_seat_and_no_other(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=6)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("doctor", "patient")
        worker.publish("patient", "microphone", "opus")
        worker.publish("patient", "camera", "VP8")
        await studio.play(worker, "patient", what, until_ms=3000)
        withdrawn = await studio.link.ask(control.Note(VISIT, "w", "withdraw", {"seat": "patient"}))
        await studio.play(worker, "patient", what, from_ms=3000)
        await studio.end()
    verified(studio.root)
    assert isinstance(withdrawn, control.Noted)
    late = [b for b in bodies(studio.root, "segment") if b["from_ms"] > 3400]
    assert late == []
    assert gaps(studio.root)[-1][2] in {"withdrawn", "off"}
    assert any(cause == "withdrawn" and about(end - begin, 3000) for begin, end, cause in gaps(studio.root))


async def test_a_screen_is_a_stream_with_its_own_span(tmp_path: Path) -> None:
    studio, what, voice = Studio(tmp_path), clip("VP8", seconds=3, audio=False), clip("VP8", seconds=2, video=False)
    async with studio.running(), studio.worker() as worker:
        await studio.begin("doctor")
        worker.publish("doctor", "microphone", "opus")
        await studio.play(worker, "doctor", voice)
        worker.publish("doctor", "screen", "VP8")
        screen = Clip("VP8", tuple(sent._replace(source="screen") for sent in what.packets), {})
        await studio.play(worker, "doctor", screen)
        worker.unpublish("doctor", "screen")
        await studio.wait_ms(worker, 1000)
        await studio.end()
    verified(studio.root)
    closed = bodies(studio.root, "close")[0]["streams"]
    assert about(closed["doctor.screen"]["first_ms"], 2000)
    assert about(closed["doctor.screen"]["last_ms"] - closed["doctor.screen"]["first_ms"], 3000, 100)


async def test_a_worker_that_dies_is_a_gap_of_the_worker_and_its_successor_goes_on(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=3)
    async with studio.running():
        async with studio.worker("m-1") as worker:
            await studio.begin("patient")
            worker.publish("patient", "microphone", "opus")
            worker.publish("patient", "camera", "VP8")
            await studio.play(worker, "patient", what)
        await studio.left("m-1")
        await studio.wait_ms(None, 4000)
        async with studio.worker("m-2") as worker:
            worker.publish("patient", "microphone", "opus", ssrc=5)
            worker.publish("patient", "camera", "VP8", ssrc=6)
            await studio.play(worker, "patient", what)
        await studio.end()
    verified(studio.root)
    assert any(cause == "worker" and about(end - begin, 4000, 500) for begin, end, cause in gaps(studio.root))
    assert len(bodies(studio.root, "part")) == 2


async def test_a_recorder_that_dies_goes_on_where_it_was_and_loses_nothing_the_worker_kept(tmp_path: Path) -> None:
    studio, what = Studio(tmp_path), clip("VP8", seconds=8)
    async with studio.worker() as worker:
        async with studio.running():
            await studio.begin("patient")
            worker.publish("patient", "microphone", "opus")
            worker.publish("patient", "camera", "VP8")
            await studio.play(worker, "patient", what, until_ms=3300)
            for sent in what.packets:  # taken and not yet written when the recorder dies
                if 3300 <= sent.at_ms < 3500:
                    worker.send("patient", sent.source, sent.packet)
            await studio.taken(worker)
        studio.now_us += 700_000
        async with studio.running():
            await studio.play(worker, "patient", what, from_ms=3500)
            for source in ("microphone", "camera"):
                worker.unpublish("patient", source)
            await studio.settle(worker)
            await studio.wait_ms(worker, 250)
            await studio.end()
    verified(studio.root)
    assert len(bodies(studio.root, "recovered")) == 1
    assert [gap for gap in gaps(studio.root) if gap[2] != "off"] == []
    tracks = [t for body in bodies(studio.root, "segment") for t in body["tracks"]]
    assert sum(t["lost"] for t in tracks) == 0
    assert sum(t["received"] for t in tracks) == len(what.packets)
    (part,) = parts(studio.root, tmp_path)
    assert complaints(part.path) == ""
    assert packets_of(part.path, "audio") == list(what.frames["microphone"])
    assert len(packets_of(part.path, "video")) == len(what.frames["camera"])
