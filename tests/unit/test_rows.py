"""Rows of packets: what goes on with what, and that the tap is cut into the same rows as packets given one by one."""

from __future__ import annotations

from struct import Struct
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from media.tap import RECOVERED, SENDER_REPORT, Hello, TapTrack
from recorder.live.recording import Recording
from recorder.live.streams import Streams
from recorder.live.tap_routes import TapRoutes
from recorder.tape.rows import Loose, Row, Rows
from recorder.tape.track import Track
from tests.tapping import pack_packet

_RTP = Struct("!BBHII")
VIDEO = TapTrack(1, "v", "doctor", "camera", "VP8", 90_000, 96, 11)
SOUND = TapTrack(2, "v", "doctor", "microphone", "opus", 48_000, 111, 12)


def rtp(seq: int, timestamp: int, payload: bytes = b"x", marker: bool = False, first: int = 0x80) -> bytes:
    return _RTP.pack(first, marker << 7 | 96, seq & 0xFFFF, timestamp, 11) + payload


def rows_of(*packets: bytes, flags: int = 0, join: bool = True) -> list[Row | Loose]:
    rows = Rows(join)
    for packet in packets:
        rows.push(loose(flags, packet))
    return rows.take()


def loose(flags: int, packet: bytes, arrival_us: int = 5) -> Loose:
    head = (packet[0], packet[1], int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[4:8], "big"))
    return (flags, arrival_us, *head, packet, 0, len(packet), 9)


def told(came: list[Row | Loose]) -> list[object]:
    return [[getattr(one, name) for name in Row.__slots__] if isinstance(one, Row) else one for one in came]


def test_a_row_goes_on_to_the_marker_over_the_end_of_the_numbers() -> None:
    (row,) = rows_of(rtp(65535, 1, b"a"), rtp(0, 1, b"b"), rtp(1, 1, b"c", marker=True))
    assert isinstance(row, Row)
    assert (row.seq, row.payloads, row.marker, row.next_seq) == (65535, [b"a", b"b", b"c"], True, 2)


def test_another_time_a_hole_and_a_marker_begin_a_row() -> None:
    came = rows_of(rtp(1, 1), rtp(2, 2), rtp(4, 2), rtp(5, 2, marker=True), rtp(6, 2))
    assert [len(row.payloads) for row in came if isinstance(row, Row)] == [1, 1, 2, 1]


def test_an_extension_is_left_out_and_what_is_not_plain_stands_by_itself() -> None:
    (row,) = rows_of(rtp(1, 1, b"\xbe\xde\x00\x01abcdpayload", first=0x90))
    assert isinstance(row, Row)
    assert row.payloads == [b"payload"]
    padded, mixed, empty, cut = (
        rtp(1, 1, b"ab\x01", first=0xA0),
        rtp(1, 1, b"1234payload", first=0x81),
        rtp(1, 1, b""),
        rtp(1, 1, b"\xbe\xde\x00\x02abcd", first=0x90),
    )
    assert not any(isinstance(one, Row) for one in rows_of(padded, mixed, empty, cut))
    assert not any(isinstance(one, Row) for one in rows_of(rtp(1, 1), flags=RECOVERED))


def test_packets_of_sound_are_a_row_each_and_nothing_goes_on_with_what_was_read() -> None:
    assert [len(row.payloads) for row in rows_of(rtp(1, 1), rtp(2, 1), join=False) if isinstance(row, Row)] == [1, 1]
    rows = Rows(join=True)
    for seq in (1, 2):
        rows.push(loose(0, rtp(seq, 1)))
        assert rows.oldest_tap_seq() == 9
        assert len(rows.take()) == 1
    assert rows.oldest_tap_seq() is None


class Kept(Recording):
    """A recording of these tracks."""

    def __init__(self, *tracks: Track) -> None:
        self.streams = Streams(lambda: 0)
        self.streams.routes = {("e", track.tap.handle): track for track in tracks}

    journal = SimpleNamespace(is_closed=False)  # type: ignore[assignment]
    keeps = property(lambda self: True)  # type: ignore[assignment]


packet = st.tuples(
    st.sampled_from([VIDEO.handle, SOUND.handle]),
    st.sampled_from([0, 0, 0, RECOVERED, SENDER_REPORT]),
    st.integers(4, 7),
    st.builds(
        rtp,
        st.integers(0, 3),
        st.integers(0, 1),
        st.binary(max_size=12),
        st.booleans(),
        st.sampled_from([0x80, 0x90, 0xA0]),
    ),
)


@given(st.lists(packet, max_size=30))
def test_the_tap_is_cut_into_the_rows_that_packets_make_one_by_one(packets: list[tuple[int, int, int, bytes]]) -> None:
    cut = {tap.handle: Track("e", tap, 5) for tap in (VIDEO, SOUND)}
    routes = TapRoutes({"v": Kept(*cut.values())})
    routes.hello(Hello("m", "e", 0), False)
    for tap in (VIDEO, SOUND):
        routes.track("e", tap)
    each = {tap.handle: Track("e", tap, 5) for tap in (VIDEO, SOUND)}
    body = bytearray()
    for handle, flags, arrival_us, one in packets:
        pack_packet(body, handle, flags, arrival_us, one)
        each[handle].push(flags, arrival_us, memoryview(one), 9)
    routes.reading()
    routes.packets("e", 9, bytes(body))
    for handle, track in cut.items():
        assert told([_own(one) for one in track.rows.take()]) == told(each[handle].rows.take())
        assert track.last_arrival_us == each[handle].last_arrival_us


def _own(one: Row | Loose) -> Row | Loose:
    """A packet that stands alone, in bytes of its own."""
    if isinstance(one, Row):
        return one
    body, begin, end = one[6:9]
    return (*one[:6], body[begin:end], 0, end - begin, one[9])
