"""What the streams say and write, put on a visit's journal; and what follows for the streams from what is put there.

Nothing here blocks or is durable: what is written down is made so by the journal's next commit.
"""

from __future__ import annotations

from typing import Any

from recorder import control
from recorder.evidence import records
from recorder.live.call_quality import CallQuality
from recorder.live.journal import Journal
from recorder.live.remembered import Remembered
from recorder.live.streams import Streams
from recorder.spool.visit import Open
from recorder.tape.output import Output, Said, Write

HEARTBEAT_US = 10_000_000


class Scribe:
    """One visit's. Times are monotonic µs."""

    def __init__(self, journal: Journal, streams: Streams) -> None:
        self.agreed: dict[str, bool] = {}
        """Who agreed to be recorded, and who did not, by seat (REC-3)."""
        self._journal = journal
        self._streams = streams
        self._quality = CallQuality()
        self._news: list[control.FromRecorder] = []
        self._beat_us = 0

    def begin(self, now_us: int) -> None:
        """Streams are counted from now; begun already, from when they were."""
        if self._streams.zero_us is None:
            self._streams.zero_us = self._beat_us = now_us

    def learn(self, kind: str, body: dict[str, Any], now_us: int) -> None:
        """A record that was asked for is on the log: what changes with it."""
        if kind == "event":
            self._quality.take(records.body_of(kind, body))
        if kind == "withdraw" or kind == "consent":
            agreed = kind == "consent" and body["decision"] == "agreed"
            self.agreed[body["seat"]] = agreed
            if not agreed:
                self.withdraw(body["seat"], now_us)
        elif kind == "event" and "seat" in body and "state" in body:
            self._streams.device(body["seat"], body["event"], body["state"], now_us)

    def withdraw(self, seat: str, now_us: int) -> None:
        """Keep nothing of this seat from now on (STREAMS-2)."""
        out: list[Output] = []
        self._streams.deactivate(seat, now_us, out)
        self._perform(out, now_us)

    def advance(self, now_us: int) -> None:
        """Write down what is due."""
        out: list[Output] = []
        self._streams.drain(now_us, out)
        self._perform(out, now_us)
        self._journal.say_stored(now_us)
        self._streams.settle(now_us)
        if self._streams.zero_us is not None and now_us - self._beat_us >= HEARTBEAT_US:
            self._beat_us = now_us
            self._journal.append("heartbeat", records.Heartbeat(self._streams.beats()), now_us)

    def finish(self, reason: str, now_us: int) -> None:
        """End all streams, and the log (REC-4)."""
        out: list[Output] = []
        end_ms = self._streams.finish(now_us, out)
        self._perform(out, now_us)
        self._journal.say_stored(now_us)
        if (certificate := self._quality.body) is not None:
            self._journal.append("certificate", certificate, now_us)
        body = records.Close(reason, self._journal.size + 1, end_ms, self._streams.closes(end_ms))
        self._journal.append("close", body, now_us)

    def news(self) -> list[control.FromRecorder]:
        """What signaling is to be told of what was written down, once."""
        news, self._news = self._news, []
        return news

    # ---- a later life of the recorder

    def remember(self, before: Remembered) -> None:
        """Know what the records say."""
        self.agreed = before.agreed
        self._quality = before.quality
        self._streams.remember(before)

    def resume(self, held: Open | None, shift: int, now_us: int) -> None:
        """Go on with what the streams were in the middle of; `shift`: what to add to the times of `held`. Blocks."""
        self._beat_us = now_us
        out: list[Output] = []
        self._streams.resume(held, shift, now_us, self._journal.spool.take_up, out)
        self._perform(out, now_us)

    # ---- inside

    def _perform(self, out: list[Output], now_us: int) -> None:
        for output in out:
            match output:
                case Write():
                    self._journal.write(output)
                case Said(kind, body):
                    self._journal.append(kind, body, now_us)
                    self._quality.take(body)
                    self._follow(body)

    def _follow(self, body: object) -> None:
        match body:
            case records.Part():
                self._journal.finish(body.init.name, body.init.sha256)
            case records.Segment():
                self._journal.finish(body.name, body.sha256)
            case records.Gap(cause=("network" | "recorder" | "worker") as cause):
                visit = self._journal.visit
                self._news.append(control.Gapped(visit, body.stream, body.from_ms, body.to_ms, cause))
            case _:
                pass
