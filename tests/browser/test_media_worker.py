"""Real browsers through one media worker, with nothing else of the system: what the SDP answers are worth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from config.link import Refusal
from media.control import Answered, AskStats, Negotiate, OpenRoom, Source, Stats
from tests.browser.remote import Browser, Driver, Kind, Page
from tests.contract.media_peers import WorkerProcess
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Pair = tuple[Browser, Browser]
MEET = """
window.meet = {
  async open(policy, codec) {
    this.codec = codec;
    this.stream ??= await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 240 } });
    this.pc = new RTCPeerConnection({ bundlePolicy: policy });
    this.heard = {};
    this.pc.ontrack = (event) => {
      const element = document.createElement(event.track.kind);
      element.muted = true;
      element.srcObject = new MediaStream([event.track]);
      element.play().catch(() => {});
      document.body.append(element);
      this.heard[event.transceiver.mid] = element;
    };
  },
  send(kind) {
    const track = kind === 'screen' ? this.canvas() : this.stream.getTracks().find((t) => t.kind === kind);
    const made = this.pc.addTransceiver(track, { direction: 'sendonly', streams: [this.stream] });
    this.prefer(made);
  },
  prefer(made) {
    const codecs = RTCRtpSender.getCapabilities(made.sender.track.kind).codecs;
    const liked = codecs.filter((codec) => codec.mimeType === `video/${this.codec}`);
    if (liked.length) made.setCodecPreferences([...liked, ...codecs.filter((codec) => !liked.includes(codec))]);
  },
  receive(kind) { this.pc.addTransceiver(kind, { direction: 'recvonly' }); },
  canvas() {
    const canvas = document.createElement('canvas');
    const brush = canvas.getContext('2d');
    setInterval(() => { brush.fillStyle = `hsl(${Date.now() / 10 % 360} 90% 50%)`; brush.fillRect(0, 0, 300, 150); }, 50);
    return canvas.captureStream(20).getVideoTracks()[0];
  },
  async offer() {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    return { sdp: this.pc.localDescription.sdp, mids: this.pc.getTransceivers().map((t) => t.mid) };
  },
  answer(sdp) { return this.pc.setRemoteDescription({ type: 'answer', sdp }); },
  async decoded() {
    const out = {};
    for (const report of (await this.pc.getStats()).values()) {
      if (report.type === 'inbound-rtp') {
        out[report.mid] = report.kind === 'video' ? report.framesDecoded ?? 0 : report.packetsReceived;
      }
    }
    return out;
  },
};
"""


class Participant:
    """A page in a room: its transceivers in order, and what each is for."""

    def __init__(self, page: Page, worker: WorkerProcess, seat: str) -> None:
        self.page, self.worker, self.seat, self.pc = page, worker, seat, 0
        self.publish: dict[str, Source] = {}
        self.subscribe: dict[str, str] = {}

    async def open(self, policy: str = "max-bundle", codec: str = "VP8") -> None:
        """A new RTCPeerConnection that would rather send this video codec."""
        self.pc += 1
        self.publish, self.subscribe = {}, {}
        await self.page.eval(f"await meet.open({policy!r}, {codec!r})")

    async def negotiate(self, *wanted: str) -> Answered:
        """Add what is wanted (`microphone`, `camera`, `screen`, or a track id to receive) and offer."""
        kinds = {"microphone": "audio", "camera": "video", "screen": "screen"}
        for what in wanted:
            seat, _, source = what.rpartition(".")
            verb, kind = ("receive", "video") if seat else ("send", kinds[what])
            kind = "audio" if source == "microphone" else kind
            await self.page.eval(f"meet.{verb}({kind!r})")
        offered = await self.page.eval("return await meet.offer()")
        for mid, what in zip(offered["mids"][-len(wanted) :] if wanted else [], wanted, strict=True):
            if "." in what:
                self.subscribe[mid] = what
            else:
                self.publish[mid] = what  # type: ignore[assignment]
        answer = await self.worker.link.ask(
            Negotiate("v1", self.seat, f"pc{self.pc}", offered["sdp"], self.publish, self.subscribe)
        )
        assert isinstance(answer, Answered)
        await self.page.eval(f"await meet.answer({json.dumps(answer.sdp)})")
        return answer

    async def sees(self, *tracks: str) -> None:
        """Wait until each track has gone on by several decoded frames, or sound."""
        mids = [mid for mid, track in self.subscribe.items() if track in tracks]
        assert len(mids) == len(tracks)
        before = await self.page.eval("return await meet.decoded()")
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not grown(before, now := await self.page.eval("return await meet.decoded()"), mids):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{self.seat} saw {before} then {now}") from None


def grown(before: Mapping[str, Any], now: Mapping[str, Any], mids: list[str]) -> bool:
    return all(now.get(mid, 0) - before.get(mid, 0) > 5 for mid in mids)


@pytest_asyncio.fixture(loop_scope="session")
async def worker(tmp_path: Path, held: Driver) -> AsyncIterator[WorkerProcess]:
    async with WorkerProcess(tmp_path, addresses=()) as process:  # Firefox does not send to loopback
        await process.link.ask(OpenRoom("v1"))
        yield process
        await held.tidy()


@pytest_asyncio.fixture(loop_scope="session")
async def blank() -> AsyncIterator[str]:
    """The address of an empty page in a secure context."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # a connection that the browser opened in case it needs one
            writer.close()
            return
        body = b"<!doctype html><meta charset=utf-8><title>media</title><body>"
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        writer.write(body)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def sit_down(browser: Browser, url: str, worker: WorkerProcess, seat: str) -> Participant:
    page = await browser.open(url)
    await page.eval(MEET)
    return Participant(page, worker, seat)


@pytest.mark.parametrize("other", ["chromium", "firefox"])
@pytest.mark.parametrize("policy", ["max-bundle", "balanced"])
async def test_two_browsers_meet_share_a_screen_and_come_back(
    worker: WorkerProcess, blank: str, pair: Pair, firefox: Browser, other: Kind, policy: str
) -> None:
    doctor = await sit_down(pair[0], blank, worker, "doctor")
    patient = await sit_down(firefox if other == "firefox" else pair[1], blank, worker, "patient")
    await doctor.open(policy)
    await patient.open(policy)
    await doctor.negotiate("microphone", "camera")
    await patient.negotiate("microphone", "camera", "doctor.microphone", "doctor.camera")
    await doctor.negotiate("patient.microphone", "patient.camera")
    await patient.sees("doctor.microphone", "doctor.camera")
    await doctor.sees("patient.microphone", "patient.camera")

    await doctor.negotiate("screen")
    await patient.negotiate("doctor.screen")
    await patient.sees("doctor.microphone", "doctor.camera", "doctor.screen")

    screen = next(mid for mid, source in doctor.publish.items() if source == "screen")
    del doctor.publish[screen]
    await doctor.page.eval(f"meet.pc.getTransceivers().find((t) => t.mid === {screen!r}).direction = 'inactive'")
    answer = await doctor.negotiate()
    assert [track.id for track in answer.tracks] == ["doctor.microphone", "doctor.camera"]
    with pytest.raises(Refusal, match="no other seat publishes"):
        await patient.negotiate()
    patient.subscribe = {mid: track for mid, track in patient.subscribe.items() if track != "doctor.screen"}
    await patient.page.eval("await meet.pc.setLocalDescription({ type: 'rollback' })")
    await patient.negotiate()
    await patient.sees("doctor.microphone", "doctor.camera")

    for one in (doctor, patient):
        await one.page.eval("meet.pc.restartIce()")
        await one.negotiate()
    await patient.sees("doctor.microphone", "doctor.camera")
    await doctor.sees("patient.microphone", "patient.camera")

    await doctor.page.eval("window.old = meet.pc")
    await doctor.open(policy)
    await doctor.negotiate("microphone", "camera", "patient.microphone", "patient.camera")
    await doctor.page.eval("old.close()")
    await patient.sees("doctor.microphone", "doctor.camera")
    await doctor.sees("patient.microphone", "patient.camera")
    stats = await worker.link.ask(AskStats())
    assert isinstance(stats, Stats)
    assert stats.transports == 2


async def test_h264_is_forwarded_as_it_was_encoded(worker: WorkerProcess, blank: str, pair: Pair) -> None:
    doctor = await sit_down(pair[0], blank, worker, "doctor")
    patient = await sit_down(pair[1], blank, worker, "patient")
    await doctor.open(codec="H264")
    await patient.open()
    answer = await doctor.negotiate("microphone", "camera")
    assert [track.codec for track in answer.tracks] == ["opus", "H264"]
    await patient.negotiate("doctor.microphone", "doctor.camera")
    await patient.sees("doctor.microphone", "doctor.camera")
