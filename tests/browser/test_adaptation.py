"""Real browsers that fit their networks with us: three sizes up, feedback both ways, redundant audio."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from media.control import LayerChanged, Quality, SetView
from tests.browser.remote import Browser, Kind
from tests.browser.test_media_worker import Pair, Participant, blank, sit_down, worker
from tests.contract.media_peers import WorkerProcess
from tests.patience import PATIENCE_S

__all__ = ["blank", "worker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SIMULCAST = """
const track = meet.stream.getVideoTracks()[0];
const made = meet.pc.addTransceiver(track, { direction: 'sendonly', streams: [meet.stream], sendEncodings: [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 100000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 400000 },
  { rid: 'f', maxBitrate: 1500000 }] });
meet.prefer(made);
"""
LAYERS = """
const track = meet.stream.getVideoTracks()[0];
const made = meet.pc.addTransceiver(track, { direction: 'sendonly', streams: [meet.stream], sendEncodings: [
  { scalabilityMode: 'S3T3', maxBitrate: 1800000 }] });
meet.prefer(made);
"""
WIDEST = 1280
WIDE = "meet.stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 1280, height: 720 } })"
STATS = "const all = []; for (const one of (await meet.pc.getStats()).values()) all.push(one); return all;"


async def rows(of: Participant, kind: str) -> list[dict[str, Any]]:
    """The browser's own figures of one type."""
    return [row for row in await of.page.eval(STATS) if row["type"] == kind]


async def grows(of: Participant, width: int) -> None:
    """Wait until the picture that is decoded is so wide; a Firefox climbs by 8 % a second."""
    seen = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while seen != width:
                await asyncio.sleep(0.2)
                pictures = [row for row in await rows(of, "inbound-rtp") if row["kind"] == "video"]
                seen = pictures[0].get("frameWidth") if pictures else None
    except TimeoutError:
        raise AssertionError(f"the picture is {seen} wide") from None


@pytest.mark.parametrize(("publisher", "codec"), [("chromium", "VP8"), ("chromium", "H264"), ("firefox", "VP8")])
async def test_a_camera_in_three_sizes_reaches_a_good_network_in_the_biggest_and_is_small_where_that_is_asked_for(
    worker: WorkerProcess,
    blank: str,
    pair: Pair,
    firefox: Browser,
    publisher: Kind,
    codec: str,
) -> None:
    doctor = await sit_down(firefox if publisher == "firefox" else pair[0], blank, worker, "doctor")
    patient = await sit_down(pair[1], blank, worker, "patient")
    await doctor.page.eval(WIDE)
    await doctor.open(codec=codec)
    await patient.open()
    await doctor.page.eval("meet.send('audio')")
    await doctor.page.eval(SIMULCAST)
    doctor.publish = {"0": "microphone", "1": "camera"}
    answer = await doctor.negotiate()
    assert [track.codec for track in answer.tracks] == ["opus", codec]
    await patient.negotiate("doctor.microphone", "doctor.camera")
    await patient.sees("doctor.microphone", "doctor.camera")
    await grows(patient, WIDEST)
    await worker.link.ask(SetView("v1", "patient", "small", "best"))
    await grows(patient, WIDEST // 4)
    await worker.link.ask(SetView("v1", "patient", "best", "best"))
    await grows(patient, WIDEST)
    told = [news for news in worker.news if isinstance(news, LayerChanged)]
    assert all((news.seat, news.track, news.layers) == ("patient", "doctor.camera", 3) for news in told)
    assert {0: 180, 2: 720}.items() <= {news.layer: news.lines for news in told}.items()
    async with asyncio.timeout(PATIENCE_S):
        while not any((n.estimate_down_bps or 0) > 300_000 for n in worker.news if isinstance(n, Quality)):
            await asyncio.sleep(0.1)


async def test_a_camera_in_layers_of_one_stream_reaches_each_viewer_as_big_as_it_wants_it(
    worker: WorkerProcess, blank: str, pair: Pair, firefox: Browser
) -> None:
    doctor = await sit_down(pair[0], blank, worker, "doctor")
    patient = await sit_down(pair[1], blank, worker, "patient")
    other = await sit_down(firefox, blank, worker, "guest-1")
    await doctor.page.eval(WIDE)
    await doctor.open(codec="VP9")
    await doctor.page.eval("meet.send('audio')")
    await doctor.page.eval(LAYERS)
    doctor.publish = {"0": "microphone", "1": "camera"}
    answer = await doctor.negotiate()
    assert [track.codec for track in answer.tracks] == ["opus", "VP9"]
    for one in (patient, other):
        await one.open()
        await one.negotiate("doctor.microphone", "doctor.camera")
    await patient.sees("doctor.microphone", "doctor.camera")
    await worker.link.ask(SetView("v1", "guest-1", "small", "best"))
    await grows(patient, WIDEST)
    await grows(other, WIDEST // 4)
    await worker.link.ask(SetView("v1", "patient", "small", "best"))
    await worker.link.ask(SetView("v1", "guest-1", "best", "best"))
    await grows(patient, WIDEST // 4)
    await grows(other, WIDEST)
    await worker.link.ask(SetView("v1", "patient", "best", "best"))
    await grows(patient, WIDEST)
    await patient.sees("doctor.camera")
    await other.sees("doctor.camera")
    told = [news for news in worker.news if isinstance(news, LayerChanged) and news.seat == "patient"]
    assert {news.track for news in told} == {"doctor.camera"}
    # A browser that is short of a core makes two for a while.
    assert {0: 180, 2: 720}.items() <= {news.layer: news.lines for news in told if news.layers == 3}.items()


async def test_a_chromium_sends_its_voice_twice_and_is_heard_once(
    worker: WorkerProcess,
    blank: str,
    pair: Pair,
) -> None:
    doctor = await sit_down(pair[0], blank, worker, "doctor")
    patient = await sit_down(pair[1], blank, worker, "patient")
    await doctor.open()
    await patient.open()
    answer = await doctor.negotiate("microphone", "camera")
    assert "a=rtcp-fb:111 nack" in answer.sdp
    await patient.negotiate("doctor.microphone", "doctor.camera")
    await patient.sees("doctor.microphone", "doctor.camera")
    await asyncio.sleep(1)
    sent = next(row for row in await rows(doctor, "outbound-rtp") if row["kind"] == "audio")
    heard = next(row for row in await rows(patient, "inbound-rtp") if row["kind"] == "audio")
    per_packet = [sent["bytesSent"] / sent["packetsSent"], heard["bytesReceived"] / heard["packetsReceived"]]
    assert per_packet[0] > 1.5 * per_packet[1]
