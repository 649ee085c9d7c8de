"""The bounded queue of what the recorder has not acknowledged."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.tap import Frames, Kind, packet_head, packets
from media.tap_backlog import Backlog


def add(backlog: Backlog, now_us: int = 0, count: int = 1) -> None:
    """A frame of packets."""
    backlog.add(Kind.PACKETS, [packet_head(1, 0, 0, 100), bytes(100)] * count, now_us, count)


def seqs(backlog: Backlog) -> list[int]:
    frames = Frames()
    return [seq for data in backlog.send() for _, seq, _ in frames.feed(data)]


def test_frames_are_sent_once_in_order_and_again_to_the_next_recorder() -> None:
    backlog = Backlog(1 << 20, 10)
    for _ in range(3):
        add(backlog)
    assert seqs(backlog) == [1, 2, 3]
    assert seqs(backlog) == []
    backlog.acknowledge(1)
    backlog.disconnected(0)
    assert seqs(backlog) == [2, 3]


def test_a_frame_of_parts_goes_out_as_one() -> None:
    backlog = Backlog(1 << 20, 10)
    first, second = bytes(range(200)), b"sound"
    parts = [packet_head(7, 1, 99, len(first)), first, packet_head(8, 0, 100, len(second)), second]
    backlog.add(Kind.PACKETS, parts, 0, 2)
    ((kind, seq, body),) = Frames().feed(b"".join(backlog.send()))
    assert (kind, seq) == (Kind.PACKETS, 1)
    assert list(packets(memoryview(body))) == [(7, 1, 99, first), (8, 0, 100, second)]
    assert backlog.size == len(body)


def test_past_the_bound_the_oldest_packets_go_and_are_counted() -> None:
    backlog = Backlog(1000, 10)
    backlog.add(Kind.TRACK, [b"{}"], 0)
    for _ in range(5):
        add(backlog, count=3)
    assert seqs(backlog) == [1, 5, 6]
    assert backlog.lost_packets == 9
    assert backlog.size <= 1000


def test_while_the_recorder_is_away_what_is_too_old_goes() -> None:
    backlog = Backlog(1 << 20, 10)
    add(backlog, count=2)
    backlog.add(Kind.END, [b"{}"], 5)
    add(backlog, 11)
    assert seqs(backlog) == [2, 3]
    assert backlog.lost_packets == 2


def test_a_recorder_that_is_there_may_take_its_time() -> None:
    backlog = Backlog(1 << 20, 10)
    backlog.connected()
    add(backlog)
    assert seqs(backlog) == [1]
    add(backlog, 1000)
    backlog.disconnected(1000)
    add(backlog, 1009)
    assert seqs(backlog) == [1, 2, 3]
    assert backlog.lost_packets == 0


def test_what_was_sent_and_given_up_is_lost_only_if_the_recorder_goes_without_it() -> None:
    backlog = Backlog(600, 10)
    backlog.connected()
    for _ in range(4):
        add(backlog, count=2)
        seqs(backlog)
    assert backlog.lost_packets == 0
    backlog.acknowledge(1)
    backlog.disconnected(0)
    assert backlog.lost_packets == 2
    assert seqs(backlog) == [3, 4]


def test_only_what_was_sent_can_be_acknowledged() -> None:
    backlog = Backlog(1 << 20, 10)
    add(backlog)
    backlog.acknowledge(99)
    assert seqs(backlog) == [1]


@given(st.lists(st.sampled_from(["track", "packets", "send", "acknowledge", "disconnect"]), max_size=60))
def test_every_packet_is_durable_sent_again_or_counted_as_lost(steps: list[str]) -> None:
    """Each PACKETS frame holds one packet, so frames and lost packets count alike."""
    backlog, added, received, durable = Backlog(1500, 1000), 0, set[int](), set[int]()
    controls = set[int]()
    for step in steps:
        match step:
            case "track" | "packets":
                added += 1
                if step == "packets":
                    add(backlog)
                else:
                    backlog.add(Kind.TRACK, [b"{}"], 0)
                    controls.add(added)
            case "send":
                received |= set(seqs(backlog))
            case "acknowledge":
                durable |= received
                backlog.acknowledge(max(received, default=0))
            case _:
                backlog.disconnected(0)
                received.clear()
        assert backlog.size <= 1500 + 32 * len(controls)
    backlog.disconnected(0)
    again = seqs(backlog)
    assert again == sorted(again)
    assert controls <= durable | set(again)
    assert added - len(durable | set(again)) == backlog.lost_packets
