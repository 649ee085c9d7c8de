"""What came of a track and is not read yet: packets that follow each other as one row, any other packet by itself.

Nine packets of ten say nothing that the one before them did not say, but their payload. They leave nothing behind but that
(decisions/0019); what becomes of a row is decided where it is read (`recorder.tape.track`).

ROWS-1  In a row are packets of one timestamp, the one number after the other, none of which is flagged, padded, mixed of
        several sources, or empty. A marker ends it, and so does reading it. It counts as come with its first packet.
ROWS-2  Sound is not put in rows of more than one packet: each is a frame.
"""

from __future__ import annotations

RTP_HEAD = 12
PLAIN = 0x80
"""First byte of an RTP header with neither padding, extension nor contributing sources."""
EXTENDED = 0x90
"""With an extension: what browsers send."""
MARKER = 0x80
"""Of the second byte."""

Loose = tuple[int, int, int, int, int, int, bytes, int, int, int]
"""A tapped packet: flags, arrival (µs); first byte, second byte, sequence number and timestamp as in its RTP header (of no
meaning for a report); the bytes it lies in, from where, to where; and the tap frame that brought it."""


def payload_at(body: bytes, first: int, begin: int, end: int) -> int:
    """Where the payload of a packet begins that may stand in a row (ROWS-1), by its header; `end` where it may not."""
    at = begin + RTP_HEAD
    if first == PLAIN:
        return min(at, end)
    if first != EXTENDED or end - at <= 4:
        return end
    return min(at + 4 + 4 * (body[at + 2] << 8 | body[at + 3]), end)  # RFC 3550 §5.3.1


class Row:
    """Packets of one frame. `seq`: the first one's number, `next_seq`: the one that would follow (16 bits)."""

    __slots__ = ("arrival_us", "marker", "next_seq", "payloads", "seq", "tap_seq", "timestamp")

    def __init__(self, arrival_us: int, seq: int, timestamp: int, marker: bool, payload: bytes, tap_seq: int) -> None:
        self.arrival_us = arrival_us
        self.seq = seq
        self.next_seq = seq + 1 & 0xFFFF
        self.timestamp = timestamp
        self.marker = marker
        """Whether the last one has it."""
        self.payloads = [payload]
        self.tap_seq = tap_seq


class Rows:
    """Those of one track, in the order in which they came."""

    __slots__ = ("_join", "came", "open")

    def __init__(self, join: bool) -> None:
        """`join`: whether a frame may be more than one packet (ROWS-2)."""
        self._join = join
        self.came: list[Row | Loose] = []
        self.open: Row | None = None
        """The one that may go on. `recorder.live.tap_routes` puts packets in it by itself."""

    def __len__(self) -> int:
        """Changes with whatever comes."""
        return len(self.came) + (len(self.open.payloads) if self.open is not None else 0)

    def begin(self, arrival_us: int, second: int, seq: int, timestamp: int, payload: bytes, tap_seq: int) -> None:
        """A packet that may stand in a row (ROWS-1) and goes on with none."""
        marker = second >= MARKER
        row = Row(arrival_us, seq, timestamp, marker, payload, tap_seq)
        self.came.append(row)
        self.open = row if self._join and not marker else None

    def go_on(self, row: Row, second: int, payload: bytes) -> None:
        """A packet that may stand in the open row, and goes on with it."""
        row.payloads.append(payload)
        row.next_seq = row.next_seq + 1 & 0xFFFF
        if second >= MARKER:
            row.marker = True
            self.open = None

    def push(self, packet: Loose) -> None:
        """Any packet."""
        flags, arrival_us, first, second, seq, timestamp, body, begin, end, tap_seq = packet
        at = payload_at(body, first, begin, end)
        if flags or at >= end:
            self.came.append(packet)
            return
        payload, row = body[at:end], self.open
        if row is not None and seq == row.next_seq and timestamp == row.timestamp:
            self.go_on(row, second, payload)
        else:
            self.begin(arrival_us, second, seq, timestamp, payload, tap_seq)

    def take(self) -> list[Row | Loose]:
        """What came since the last time."""
        came, self.came, self.open = self.came, [], None
        return came

    def oldest_tap_seq(self) -> int | None:
        """The smallest tap frame of which something is here."""
        if not self.came:
            return None
        first = self.came[0]
        return first.tap_seq if isinstance(first, Row) else first[-1]
