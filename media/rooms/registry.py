"""All rooms of a worker: carries out what signaling asks, and passes on what the plane saw.

ROOMS-1  A bug in one room ends that room, says so in the log, and is answered `internal`. The others do not notice.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Protocol

from config.link import Refused
from media.control import (
    PROTOCOL,
    Answered,
    AskRoom,
    AskStats,
    CloseRoom,
    Done,
    Drop,
    FromWorker,
    Greet,
    Greeted,
    Negotiate,
    OpenRoom,
    Record,
    SetView,
    Stats,
    TracksChanged,
)
from media.control import ToWorker as Asked
from media.plane import PlaneEvent, ProducerStarted
from media.rooms.room import Room, RoomError
from media.rooms.surroundings import Surroundings, Traffic
from media.sdp import SdpError

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

log = logging.getLogger(__name__)


class Machine(Protocol):
    """What the process costs, and what was dropped anywhere in it."""

    def cpu_s(self) -> float:
        """Processor seconds since the start."""
        ...

    def rss_bytes(self) -> int:
        """Resident memory."""
        ...

    def drops(self) -> Mapping[str, int]:
        """Counts by the name of the rule that dropped."""
        ...


class Rooms:
    """Room name → room. `greeting` is what a link hears first."""

    def __init__(self, given: Surroundings, greeting: Greeted, machine: Machine) -> None:
        self._given = given
        self._greeting = greeting
        self._machine = machine
        self._rooms: dict[str, Room] = {}
        self._ended = Traffic()

    def answer(self, asked: Asked) -> FromWorker:
        """Carry out one request."""
        match asked:
            case Greet():
                return self._greeting if asked.protocol == PROTOCOL else Refused("version_unsupported")
            case AskStats():
                return self._stats()
            case AskRoom():
                held = self._rooms.get(asked.room)
                return held.state if held is not None else Refused("room_unknown")
            case OpenRoom():
                return self._open(asked.room)
            case CloseRoom():
                self._close(asked.room)
                return Done()
            case Negotiate() | Drop() | Record() | SetView():
                return self._in_room(asked)

    def heard(self, event: PlaneEvent) -> None:
        """Pass on what the plane saw; events of rooms that are closed are ignored."""
        name = event.track if isinstance(event, ProducerStarted) else event.key
        room = self._rooms.get(name.partition("/")[0])
        if room is not None:
            self._guarded(room, lambda: room.heard(event))

    def tell_quality(self) -> None:
        """Every 2 s."""
        for room in list(self._rooms.values()):
            self._guarded(room, room.tell_quality)

    def close(self) -> None:
        """Close every room."""
        for name in list(self._rooms):
            self._close(name)

    def _open(self, name: str) -> FromWorker:
        if not _NAME.fullmatch(name):
            return Refused("room_invalid", "a room's name is 1-64 of A-Z a-z 0-9 _ -")
        self._rooms.setdefault(name, Room(name, self._given))
        return Done()

    def _close(self, name: str) -> None:
        if (room := self._rooms.pop(name, None)) is not None:
            self._end(room)

    def _in_room(self, asked: Negotiate | Drop | Record | SetView) -> FromWorker:
        room = self._rooms.get(asked.room)
        if room is None:
            return Refused("room_unknown")
        if not _NAME.fullmatch(asked.seat):
            return Refused("seat_invalid", "a seat's name is 1-64 of A-Z a-z 0-9 _ -")
        answers: list[Answered] = []
        try:
            match asked:
                case Negotiate():
                    whole = self._guarded(room, lambda: answers.append(room.negotiate(asked)))
                case Drop():
                    whole = self._guarded(room, lambda: room.drop(asked.seat))
                case Record():
                    whole = self._guarded(room, lambda: room.record(asked.seat, asked.on))
                case SetView():
                    whole = self._guarded(room, lambda: room.view(asked))
        except (SdpError, RoomError) as refused:
            log.info("offer refused", extra={"room": room.name, "seat": asked.seat, "code": refused.code})
            return Refused(refused.code, str(refused))
        if not whole:
            return Refused("internal", "the room was closed by a bug")
        return answers[0] if answers else Done()

    def _guarded(self, room: Room, act: Callable[[], None]) -> bool:
        """ROOMS-1: here an actor ends."""
        try:
            act()
        except (SdpError, RoomError):
            raise
        except Exception:
            log.exception("room failed", extra={"room": room.name})
            self._rooms.pop(room.name, None)
            self._end(room)
            return False
        return True

    def _end(self, room: Room) -> None:
        try:
            room.close()
        except Exception:
            log.exception("room failed while it closed", extra={"room": room.name})
            self._given.tell(TracksChanged(room.name, []))
        self._ended += room.traffic

    def _stats(self) -> Stats:
        total = sum((room.traffic for room in self._rooms.values()), self._ended)
        return Stats(
            rooms=len(self._rooms),
            transports=sum(room.transports for room in self._rooms.values()),
            packets_in=total.packets_in,
            packets_out=total.packets_out,
            bytes_in=total.bytes_in,
            bytes_out=total.bytes_out,
            cpu_s=self._machine.cpu_s(),
            rss_bytes=self._machine.rss_bytes(),
            drops=dict(self._machine.drops()),
        )
