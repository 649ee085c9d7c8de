"""A story before the real recorder: its doors, its disk and its store, and a crash where the story has one.

Senders play clips that a decoder knows, so that what is recorded can be decoded. Steps that take a disk of paper
(`DiskFails`, `Pause`) and jumps of timestamps are left to the stage.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

from recorder import control
from recorder.bundle.directory import verify_directory
from tests.recordings import complaints, parts
from tests.stories import steps as s
from tests.tapping import VISIT, Clip, Studio, Worker, clip, consent

BEAT_MS = 20
TICK_MS = 240
SECONDS = 8
VERIFY = Path(__file__).parents[2] / "recorder" / "verify.sh"


@dataclass
class Playing:
    """A source that plays a clip, from when it began."""

    seat: str
    source: s.Source
    codec: s.Codec
    begun_ms: int
    next: int = 0
    quiet_until_ms: int = 0
    muted: bool = False

    @property
    def clip(self) -> Clip:
        """Its clip, of picture or of sound alone."""
        sound = self.codec == "opus"
        return clip("VP8" if sound else self.codec, SECONDS, video=not sound, audio=sound)


class RealStage:
    """One performance."""

    def __init__(self, story: s.Story, folder: Path) -> None:
        self.studio = Studio(folder, encryption="aes256gcm" if story.sealed else "off")
        self._story = story
        self._rng = Random(f"{story.seed} real")
        self._playing: dict[tuple[str, str], Playing] = {}
        self._weather: dict[str, s.Weather] = {}
        self._agreed: set[str] = set()
        self._asked = self._epochs = 0
        self._begun_us = self.studio.now_us
        self._starved_ms = 0
        self._life, self._line = contextlib.AsyncExitStack(), contextlib.AsyncExitStack()
        self._worker: Worker

    async def play(self) -> None:
        """From the first step to the stored recording."""
        async with contextlib.AsyncExitStack() as last:
            last.push_async_callback(lambda: self._life.aclose())
            last.push_async_callback(lambda: self._line.aclose())
            await self._life.enter_async_context(self.studio.running())
            await self._new_worker()
            await self.studio.link.ask(control.Open(VISIT, {"doctor": "pseudonym-d", "patient": "pseudonym-p"}))
            steps = list(self._story.steps)
            for now_ms in range(0, self._story.end_ms, BEAT_MS):
                self.studio.now_us = max(self.studio.now_us, self._begun_us + now_ms * 1000)
                while steps and steps[0].at_ms <= now_ms:
                    await self._do(steps.pop(0), now_ms)
                self._send(now_ms)
                if now_ms % TICK_MS == 0 and now_ms >= self._starved_ms:
                    await self.studio.settle(self._worker)
            for playing in list(self._playing.values()) if self._story.tidy else ():
                self._worker.unpublish(playing.seat, playing.source)
            await self.studio.settle(self._worker)
            await self.studio.end()

    def _send(self, now_ms: int) -> None:
        for playing in self._playing.values():
            packets = playing.clip.packets
            while playing.next < len(packets) and playing.begun_ms + packets[playing.next].at_ms <= now_ms:
                sent = packets[playing.next]
                playing.next += 1
                lost = self._rng.random() < self._weather.get(playing.seat, s.Weather(0, "")).loss
                if not (lost or playing.muted or now_ms < playing.quiet_until_ms):
                    self._worker.send(playing.seat, playing.source, sent.packet)

    async def _do(self, step: s.Step, now_ms: int) -> None:
        match step:
            case s.Agree(_, seat) if seat not in self._agreed:
                self._agreed.add(seat)
                if seat.startswith("guest"):
                    await self._note("join", {"seat": seat})
                await self._note("consent", consent(seat))
                await self.studio.link.ask(control.Start(VISIT, [seat]))
            case s.Withdraw(_, seat) if seat in self._agreed:
                self._agreed.discard(seat)
                await self._note("withdraw", {"seat": seat})
            case s.Publish(_, seat, source, codec):
                if (seat, source) in self._playing:
                    self._worker.unpublish(seat, source)
                self._playing[seat, source] = Playing(seat, source, codec, now_ms)
                self._worker.publish(seat, source, codec, ssrc=0x1000 + now_ms)
            case s.Unpublish(_, seat, source, gone):
                if self._playing.pop((seat, source), None) is not None:
                    self._worker.unpublish(seat, source, "transport_gone" if gone else "unpublished")
            case s.Device(_, seat, source, state, quiet):
                await self._note("event", {"event": source, "seat": seat, "state": state})
                if (playing := self._playing.get((seat, source))) is not None:
                    playing.muted = quiet and state != "on"
            case s.Silence(_, seat, source, ms) if (seat, source) in self._playing:
                self._playing[seat, source].quiet_until_ms = now_ms + ms
            case s.Blackout(_, seat, ms):
                for playing in self._playing.values():
                    playing.quiet_until_ms = now_ms + ms if playing.seat == seat else playing.quiet_until_ms
            case s.Weather(_, seat):
                self._weather[seat] = step
            case s.Starve(_, ms):
                self._starved_ms = now_ms + ms
            case s.Crash(_, ms):
                await self._life.aclose()
                self.studio.now_us += ms * 1000
                self._begun_us += ms * 1000
                self._life = contextlib.AsyncExitStack()
                await self._life.enter_async_context(self.studio.running())
            case s.WorkerDies():
                await self._line.aclose()
                await self.studio.left(self._worker.epoch)
                await self._new_worker()
                for key, playing in self._playing.items():
                    self._playing[key] = Playing(playing.seat, playing.source, playing.codec, now_ms)
                    self._worker.publish(playing.seat, playing.source, playing.codec, ssrc=0x1000 + now_ms)
            case _:
                pass

    async def _note(self, kind: str, body: dict[str, object]) -> None:
        self._asked += 1
        await self.studio.link.ask(control.Note(VISIT, f"{self._asked}", kind, body))

    async def _new_worker(self) -> None:
        self._epochs += 1
        self._line = contextlib.AsyncExitStack()
        self._worker = await self._line.enter_async_context(self.studio.worker(f"m-{self._epochs}"))


def faults_of_real(story: s.Story) -> list[str]:
    """What both verifiers and a decoder find wrong with the recording."""
    with tempfile.TemporaryDirectory(prefix="story-") as name:
        folder = Path(name)
        stage = RealStage(story, folder)
        asyncio.run(stage.play())
        root = stage.studio.root
        verdict = verify_directory(root)
        found = [f"{broken.rule} {broken.where}" for broken in verdict.broken]
        shell = subprocess.run(["sh", VERIFY, root], capture_output=True, text=True, check=False)
        if shell.returncode:
            found.append(f"verify.sh: {shell.stdout[-300:]}{shell.stderr[-300:]}")
        decoded = ((part.path, complaints(part.path)) for part in parts(root, folder, stage.studio.settings.data))
        return found + [f"{path.name}: {said[:300]}" for path, said in decoded if said]
