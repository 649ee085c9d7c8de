"""A data plane that only writes down what it is told, and keeps PLANE-2 and PLANE-3 as the real one does."""

from __future__ import annotations

from collections.abc import Callable

from media.plane import (
    ConsumerSpec,
    IceCredentials,
    PlaneEvent,
    ProducerSpec,
    ProducerStarted,
    TransportSpec,
    TransportStats,
    View,
)


class RecordingPlane:
    """`log` holds the calls in order; the dictionaries hold what stands now."""

    def __init__(self) -> None:
        self.log: list[tuple[object, ...]] = []
        self.transports: dict[str, TransportSpec] = {}
        self.producers: dict[str, tuple[str, ProducerSpec]] = {}
        self.consumers: dict[str, tuple[str, ConsumerSpec]] = {}
        self.recorded: dict[str, int] = {}
        self.fail_on: str | None = None
        self._listener: Callable[[PlaneEvent], None] = lambda event: None

    @property
    def takes_tcp(self) -> bool:
        return True

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [("127.0.0.1", 7900)]

    @property
    def fingerprint(self) -> str:
        return ":".join(["AB"] * 32)

    @property
    def drops(self) -> dict[str, int]:
        return {"size": 3}

    def on_event(self, listener: Callable[[PlaneEvent], None]) -> None:
        self._listener = listener

    def open_transport(self, spec: TransportSpec) -> None:
        self._note("open", spec.key)
        assert spec.key not in self.transports
        self.transports[spec.key] = spec

    def restart_ice(self, key: str, local: IceCredentials, remote: IceCredentials) -> None:
        self._note("restart", key)
        assert self.transports[key].local != local

    def close_transport(self, key: str) -> None:
        self._note("close", key)
        del self.transports[key]
        for track in [track for track, (owner, _) in self.producers.items() if owner == key]:
            self._forget(track)
        for consumer in [name for name, (owner, _) in self.consumers.items() if owner == key]:
            del self.consumers[consumer]

    def publish(self, key: str, spec: ProducerSpec) -> None:
        self._note("publish", key, spec.track)
        assert key in self.transports
        self.producers[spec.track] = (key, spec)

    def unpublish(self, track: str) -> None:
        self._note("unpublish", track)
        self._forget(track)

    def subscribe(self, key: str, spec: ConsumerSpec) -> None:
        self._note("subscribe", key, spec.track)
        self.transports[key], self.producers[spec.track]
        self.consumers[spec.id] = (key, spec)

    def view(self, key: str, consumer: str, most: View) -> None:
        self._note("view", key, consumer, most)
        assert self.consumers[consumer][0] == key

    def unsubscribe(self, key: str, consumer: str) -> None:
        self._note("unsubscribe", key)
        assert self.consumers.pop(consumer)[0] == key

    def record(self, track: str, handle: int | None) -> None:
        self._note("record", track, handle)
        self.producers[track]
        if handle is None:
            self.recorded.pop(track, None)
        else:
            self.recorded[track] = handle

    def request_keyframe(self, track: str, old: bool = False) -> None:
        self._note("keyframe", track)
        self.producers[track]

    def stats(self, key: str) -> TransportStats:
        self.transports[key]
        return TransportStats(10, 20, 1000, 2000, 0.5, 0.25, 12.0)

    def close(self) -> None:
        self._note("shut")

    def start(self, track: str, ssrc: int = 7) -> ProducerStarted:
        """The event of a track's first packet."""
        (payload_type, codec), *_ = self.producers[track][1].codecs.items()
        return ProducerStarted(track, ssrc, payload_type, codec)

    def calls(self, *names: str) -> list[tuple[object, ...]]:
        """The calls of these names, and forget all so far."""
        said = [call for call in self.log if call[0] in names]
        self.log.clear()
        return said

    def _note(self, *call: object) -> None:
        self.log.append(call)
        if call[0] == self.fail_on:
            raise RuntimeError("a bug, for the test")

    def _forget(self, track: str) -> None:
        del self.producers[track]
        self.recorded.pop(track, None)
        for consumer in [name for name, (_, spec) in self.consumers.items() if spec.track == track]:
            del self.consumers[consumer]
