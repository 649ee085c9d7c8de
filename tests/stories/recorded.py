"""What a story's recording holds: its records, and every frame of every part with the shot that it is."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, NamedTuple

from recorder.sealing.seal import Sealer
from recorder.sealing.stream_seal import context_of
from tests.stories.blocks import Block, blocks
from tests.stories.senders import Shot
from tests.stories.stage import Stage
from tests.tapping import VISIT

Body = dict[str, Any]


class Kept(NamedTuple):
    """A frame in the recording; `shot` is None for one that nobody sent."""

    segment: Body
    track: Body
    block: Block
    shot: Shot | None


class Recorded:
    """The recording of one performance."""

    def __init__(self, stage: Stage) -> None:
        self._store = stage.paper.store
        self._secrets = stage.secrets
        batches = sorted(name for name in self._store if name.startswith("records/"))
        self.records: list[Body] = [json.loads(line) for name in batches for line in self._store[name].splitlines()]
        starts = [one["body"] for one in self.records if one["type"] == "start"]
        self.zero_us: int = starts[0]["zero_mono_us"] if starts else 0
        self._keys: dict[str, Body] = {}
        shots = {shot.payload: shot for shot in stage.shots}
        self.kept: list[Kept] = []
        parts: dict[str, Body] = {}
        for one in self.records:
            body = one["body"]
            match one["type"]:
                case "key":
                    self._keys[body["stream"]] = body
                case "part":
                    parts[body["stream"]] = body
                    self._content(body["stream"], body["init"]["name"])
                case "segment":
                    tracks = {track["number"]: track for track in parts[body["stream"]]["tracks"]}
                    self.kept += [
                        Kept(body, tracks[block.track], block, shots.get(block.payload))
                        for block in blocks(self._content(body["stream"], body["name"]))
                    ]

    def bodies(self, kind: str) -> list[Body]:
        """Of every record of a kind."""
        return [one["body"] for one in self.records if one["type"] == kind]

    def ms(self, at_us: int) -> float:
        """Stream time of a moment."""
        return (at_us - self.zero_us) / 1000

    def agreed(self) -> dict[str, list[tuple[int, int]]]:
        """When each seat was recorded, from its starts to its withdrawals (µs)."""
        spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for one in self.records:
            body = one["body"]
            if one["type"] == "start":
                for seat in body["seats"]:
                    spans[seat].append((self.zero_us + body["from_ms"] * 1000, 1 << 60))
            elif one["type"] == "withdraw" and spans[body["seat"]] and spans[body["seat"]][-1][1] == 1 << 60:
                spans[body["seat"]][-1] = (spans[body["seat"]][-1][0], one["mono_us"])
        return spans

    def gaps(self, stream: str) -> list[tuple[int, int, str]]:
        """Those of a stream: from, to, cause."""
        return [(g["from_ms"], g["to_ms"], g["cause"]) for g in self.bodies("gap") if g["stream"] == stream]

    def _content(self, stream: str, name: str) -> bytes:
        stored, key = self._store[name], self._keys.get(stream)
        if key is None:
            return stored
        sealer = Sealer.of(key["suite"], self._secrets[key["key"]], context_of(VISIT, name), stored)
        return b"".join(sealer.open(stored))


def stream_of(shot: Shot) -> str:
    """The stream that a shot belongs to."""
    sender = shot.sender
    return f"{sender.seat}.screen" if sender.source == "screen" else sender.seat
