"""Plays a story before the recorder: its real recording, journal, streams and routes, on a disk and a network of paper.

Time is the loop's. It goes in beats of `BEAT_MS`; within one, packets come at their own microsecond.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import NamedTuple, cast

from media.tap import Kind, TapEnd, TapTrack, cut
from recorder.evidence.log import VisitLog
from recorder.live.intake import Intake, _Connection
from recorder.live.journal import Journal, Onward
from recorder.live.recording import Recording
from recorder.live.recording_errors import SpoolFailed
from recorder.live.streams import Streams
from recorder.live.tap_routes import TapRoutes
from recorder.spool.visit import Life
from recorder.store.objects import Stored
from tests.bundles import ORIGIN, keys_of
from tests.stories import steps as s
from tests.stories.feed import Feed
from tests.stories.loop import StoryLoop
from tests.stories.paper import AtOnce, Paper, PaperSpool
from tests.stories.seals import Seals
from tests.stories.senders import RATES, Packet, Sender, Shot
from tests.stories.ways import Came, Way
from tests.tapping import VISIT, consent

SIGNER = keys_of("the recorder of stories", sm2=False)
BEAT_MS = 20
TICK_MS = 800
WALL_US = 1_777_777_777_000_000
Ask = Callable[[Recording], Awaitable[object]]


class Span(NamedTuple):
    """A time in which something was wrong (µs on the recorder's clock)."""

    what: str
    from_us: int
    to_us: int


class Wire:
    """The recorder's end of a worker's connection (`recorder.live.intake`)."""

    def __init__(self, feed: Feed) -> None:
        self.epoch: str | None = None
        self.acked = 0
        self._feed = feed

    def send(self, data: bytes) -> None:
        """Only acknowledgements matter here: keyframes are asked for on the stage."""
        for kind, seq, _ in cut(memoryview(data))[0]:
            if kind is Kind.ACK:
                self._feed.acknowledge(seq)


class Stage:
    """One performance."""

    def __init__(self, story: s.Story, loop: StoryLoop) -> None:
        self.story = story
        self.paper = Paper()
        self.shots: list[Shot] = []
        self.spans: list[Span] = []
        self.zero_us = self.closing_us = loop.now_us
        self._loop = loop
        self._seals = Seals()
        self._rng = Random(f"{story.seed} stage")
        self._ways: dict[str, Way] = {}
        self._clocks_us: dict[str, int] = {}
        self._senders: dict[tuple[str, str], Sender] = {}
        self._leaving: list[tuple[int, Sender]] = []
        self._numbers = self._lives = self._epochs = 0
        self._under_way: list[Came] = []
        self._asks: deque[Ask] = deque()
        self._agreed: set[str] = set()
        self._begun: dict[str, int] = {}
        self._feed = self._new_feed()
        self._recording: Recording | None = None
        self._intake: Intake
        self._wire: Wire | None = None
        self._tick_us = 0
        self._until_us: dict[str, int] = {}
        """Until when something lasts: `starved`, `crashed`, `tap`, `worker`, `disk`, `full`."""
        self._torn = False
        self._asks_made = 0

    @property
    def secrets(self) -> dict[str, bytes]:
        """Every data key, by name."""
        return self._seals.secrets()

    def clock(self) -> int:
        """The recorder's."""
        return self._loop.now_us

    async def play(self) -> None:
        """From the first step to the closed log."""
        steps = deque(self.story.steps)
        self._raise_recorder()
        self._ask(lambda recording: recording.open({"doctor": "pseudonym-d", "patient": "pseudonym-p"}, "recorder"))
        while self.clock() < self.zero_us + self.story.end_ms * 1000:
            while steps and self.zero_us + steps[0].at_ms * 1000 <= self.clock():
                self._do(steps.popleft())
            await self._beat()
        await self._end()

    # ---- a beat

    async def _beat(self) -> None:
        await asyncio.sleep(BEAT_MS / 1000)
        now_us = self.clock()
        self._send(now_us)
        self._changes(now_us)
        if self._recording is None or self._holds("starved"):
            return
        self._deliver(now_us)
        with contextlib.suppress(SpoolFailed):
            while self._asks:
                await self._asks[0](self._recording)
                self._asks.popleft()
        if now_us >= self._tick_us:
            self._tick_us = now_us + TICK_MS * 1000
            await self._tick()

    def _send(self, now_us: int) -> None:
        for sender in list(self._senders.values()):
            way = self._way(sender.seat)
            for at_us, packet in sender.send(now_us, self._clocks_us.get(sender.seat, 0)):
                self._note(packet)
                self._numbers += 1
                for came in way.carry(at_us, sender.handle, packet, self._numbers):
                    heapq.heappush(self._under_way, came)
        while self._under_way and self._under_way[0].at_us <= now_us:
            came = heapq.heappop(self._under_way)
            if not self._holds("worker"):
                self._feed.packet(came)
        self._feed.flush(now_us)

    def _note(self, packet: Packet) -> None:
        if packet.shot is not None and packet.place == 0:
            self.shots.append(packet.shot)

    def _deliver(self, now_us: int) -> None:
        """What the worker has goes to the recorder."""
        if self._holds("worker") or self._holds("tap"):
            return
        if self._wire is None:
            self._wire = Wire(self._feed)
            self._intake.connected(cast("_Connection", self._wire))
            self._take(self._feed.greeting())
        self._take(self._feed.send())

    def _take(self, content: bytes) -> None:
        if not content:
            return
        self._intake.reading()
        frames, _ = cut(memoryview(content))
        for kind, seq, body in frames:
            self._intake.take(cast("_Connection", self._wire), kind, seq, bytes(body))

    async def _tick(self) -> None:
        recording = self._recording
        assert recording is not None
        taken = self._intake.taken()
        for (epoch, handle), _ in recording.streams.keyframes_wanted():
            for sender in self._senders.values():
                if epoch == self._feed.epoch and sender.handle == handle:
                    sender.wants_keyframe = True
        with contextlib.suppress(SpoolFailed):
            await recording.tick()
        self._intake.acknowledge(lambda epoch: self._oldest(recording, epoch, taken.get(epoch, 0)))

    def _oldest(self, recording: Recording, epoch: str, taken: int) -> int:
        if recording.journal.stuck:
            return 0
        oldest = recording.streams.oldest_tap_seq(epoch)
        return min(taken + 1, taken + 1 if oldest is None else oldest)

    # ---- what lasts

    def _holds(self, what: str) -> bool:
        return what in self._until_us

    def _begin(self, what: str, ms: int) -> None:
        self._begun.setdefault(what, self.clock())
        self._until_us[what] = max(self._until_us.get(what, 0), self.clock() + ms * 1000)

    def _changes(self, now_us: int) -> None:
        for what in [what for what, until_us in self._until_us.items() if until_us <= now_us]:
            del self._until_us[what]
            self._over(what)

    def _over(self, what: str) -> None:
        match what:
            case "crashed":
                self._raise_recorder()
            case "worker":
                self._feed = self._new_feed()
                self._under_way.clear()
                for sender in self._senders.values():
                    sender.handle = self._tapped(sender)
            case "disk":
                self.paper.fails = False
            case "full":
                self._ask(lambda recording: recording.pause(False))
        self.spans.append(Span(what, self._begun.pop(what), self.clock()))

    # ---- steps

    def _do(self, step: s.Step) -> None:
        match step:
            case s.Agree(_, seat):
                self._agree(seat)
            case s.Withdraw(_, seat, untapped):
                self._withdraw(seat, untapped)
            case s.Publish():
                self._publish(step)
            case s.Unpublish(_, seat, source, gone):
                if (sender := self._senders.pop((seat, source), None)) is not None:
                    self._untap(sender, "transport_gone" if gone else "unpublished")
            case s.Device(_, seat, source, state, quiet):
                body = {"event": source, "seat": seat, "state": state}
                self._ask(self._noting("event", body))
                if (sender := self._senders.get((seat, source))) is not None:
                    sender.muted = quiet and state != "on"
            case s.Blackout(_, seat, ms):
                self._way(seat).dark_until_us = self.clock() + ms * 1000
            case s.Weather(_, seat):
                self._way(seat).weather = step
            case s.SetClock(_, seat, by_ms):
                self._clocks_us[seat] = self._clocks_us.get(seat, 0) + by_ms * 1000
            case (
                s.Silence(_, seat, source)
                | s.Jump(_, seat, source)
                | s.Leap(_, seat, source)
                | s.Resize(_, seat, source)
            ):
                if (sender := self._senders.get((seat, source))) is not None:
                    self._to_sender(step, sender)
            case s.TapBreaks(_, ms):
                self._hang_up()
                self._begin("tap", ms)
            case s.WorkerDies(_, ms):
                self._hang_up()
                self._begin("worker", ms)
            case s.Starve(_, ms):
                self._begin("starved", ms)
            case s.Crash(_, ms, torn):
                self._crash(torn)
                self._begin("crashed", ms)
            case s.DiskFails(_, ms):
                self.paper.fails = True
                self._begin("disk", ms)
            case s.Pause(_, ms):
                self._ask(lambda recording: recording.pause(True))
                self._begin("full", ms)

    def _to_sender(self, step: s.Step, sender: Sender) -> None:
        match step:
            case s.Silence(_, _, _, ms):
                sender.silent_until_us = self.clock() + ms * 1000
            case s.Jump(_, _, _, by_ms):
                sender.jump(by_ms)
            case s.Leap(_, _, _, by):
                sender.leap(by)
            case _:
                sender.width, sender.wants_keyframe = 960 - sender.width, True

    # ---- consent

    def _agree(self, seat: str) -> None:
        if seat in self._agreed:
            return
        self._agreed.add(seat)
        if seat.startswith("guest"):
            self._ask(self._noting("join", {"seat": seat}))
        self._ask(self._noting("consent", consent(seat)))

        async def start(recording: Recording) -> None:
            await recording.start([seat])

        self._ask(start)
        for sender in self._senders.values():
            if sender.seat == seat and not sender.handle:
                sender.handle = self._tapped(sender)

    def _withdraw(self, seat: str, untapped: bool) -> None:
        if seat not in self._agreed:
            return
        self._agreed.discard(seat)
        self._ask(self._noting("withdraw", {"seat": seat}))
        for sender in self._senders.values():
            if sender.seat == seat and untapped:
                self._untap(sender, "not_recorded")

    def _ask(self, ask: Ask) -> None:
        self._asks.append(ask)

    def _noting(self, kind: str, body: dict[str, object]) -> Ask:
        self._asks_made += 1
        key = f"{self._asks_made}"
        return lambda recording: recording.note(key, kind, body)

    # ---- the worker

    def _new_feed(self) -> Feed:
        self._epochs += 1
        return Feed(f"m-{self._epochs}")

    def _publish(self, step: s.Publish) -> None:
        key = (step.seat, step.source)
        old = self._senders.pop(key, None)
        if old is not None and not step.overlap:
            self._untap(old, "unpublished")
        self._numbers += 1
        rng = Random(f"{self.story.seed} {step}")
        new = self._senders[key] = Sender(rng, self._numbers & 0xFFFF, step.seat, step.source, step.codec, self.clock())
        new.handle = self._tapped(new)
        if old is not None and step.overlap:
            self._untap(old, "unpublished")

    def _tapped(self, sender: Sender) -> int:
        """TRACK; 0 while there is no worker."""
        if self._holds("worker"):
            return 0
        rate, kind = RATES[sender.codec], 111 if sender.codec == "opus" else 96
        track = TapTrack(0, VISIT, sender.seat, sender.source, sender.codec, rate, kind, sender.ssrc)
        return self._feed.begin(track, self.clock())

    def _untap(self, sender: Sender, reason: str) -> None:
        handle, sender.handle = sender.handle, 0
        if handle in self._feed.live and not self._holds("worker"):
            self._feed.end(TapEnd(handle, self.clock(), reason), self.clock())  # type: ignore[arg-type]

    def _hang_up(self) -> None:
        if self._wire is None:
            return
        self._feed.disconnected(self.clock())
        if self._recording is not None:
            self._intake.disconnected(cast("_Connection", self._wire))
        self._wire = None

    def _way(self, seat: str) -> Way:
        if seat not in self._ways:
            self._ways[seat] = Way(Random(f"{self.story.seed} {seat}"), seat)
        return self._ways[seat]

    # ---- the recorder

    def _raise_recorder(self) -> None:
        """A life of it begins."""
        self._lives += 1
        now_us = self.clock()
        visits: dict[str, Recording] = {}
        routes = TapRoutes(visits)
        self._intake = Intake(routes)
        spool = PaperSpool(self.paper)
        journal = Journal(
            VisitLog(VISIT, ORIGIN, SIGNER),
            spool.spool(),
            Life(f"r-{self._lives}", "boot", WALL_US + now_us, now_us),
            self.clock,
            AtOnce(spool).together(),
            Onward(store=lambda upload: self._store(journal, upload), leaf=lambda seq, lines: None),
        )
        seals = self._seals if self.story.sealed else None
        recording = Recording(journal, Streams(self.clock, seals), self.clock, lambda news: None)
        if self.paper.lines:
            self.paper.fails = False
            recording.recover("restarted")
        visits[VISIT] = self._recording = recording
        routes.opened(VISIT)
        self._tick_us = now_us + self._rng.randrange(TICK_MS) * 1000

    def _store(self, journal: Journal, upload: object) -> None:
        self.paper.put_in_store(upload)  # type: ignore[arg-type]
        journal.stored(upload, Stored(None))  # type: ignore[arg-type]

    def _crash(self, torn: bool) -> None:
        """`torn`: bytes of a commit got to the disk, and the line that speaks of them did not."""
        if self._recording is None:
            return
        if torn and not self.paper.fails and self._recording.journal.size:
            recording, journal = self._recording, self._recording.journal
            if not journal.stuck and not journal.is_closed:
                recording._scribe.advance(self.clock())
                journal.spool.prepare(journal._writes, journal._line(self.clock(), recording._held()))
        self._recording = None
        self._hang_up()

    async def _end(self) -> None:
        """Whatever was wrong is over, and the visit is closed."""
        for what in list(self._until_us):
            del self._until_us[what]
            self._over(what)
        for sender in self._senders.values() if self.story.tidy else ():
            self._untap(sender, "room_closed")
        self._senders.clear()
        recording = self._recording
        assert recording is not None
        self.closing_us = self.clock()
        self._deliver(self.clock())
        while self._asks:
            await self._asks.popleft()(recording)
        await recording.close("completed")


def perform(story: s.Story) -> Stage:
    """Play a story to its end."""
    loop = StoryLoop()
    try:
        stage = Stage(story, loop)
        loop.run_until_complete(stage.play())
        return stage
    finally:
        loop.close()
