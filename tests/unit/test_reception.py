"""What has arrived of a stream: numbers, loss, and what is asked for again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.forwarding.reception import GIVE_UP_S, KEPT, MAX_MISSING, MAX_TRIES, NEVER, REFUSED, RESTARTED, Reception


def take(stream: Reception, seq: int, now: float = 0.0, *, recovered: bool = False) -> int:
    index = stream.accept(seq & 0xFFFF, seq * 3000, now, recovered)
    if index >= 0:
        stream.keep(index, seq.to_bytes(4, "big"))
    return index


def of(*numbers: int, repairable: bool = True) -> Reception:
    stream = Reception(90000, repairable)
    for n in numbers:
        take(stream, n)
    return stream


def test_numbers_grow_over_the_wrap() -> None:
    stream = of(65534)
    first = stream.highest
    assert [take(stream, n) - first for n in (65535, 65536, 65537)] == [1, 2, 3]
    assert stream.expected == stream.received == 4


@given(st.integers(0, 65535), st.permutations(range(40)), st.lists(st.integers(0, 39)))
def test_each_packet_is_accepted_once_in_any_order(start: int, order: list[int], again: list[int]) -> None:
    stream = of(start + order[0])
    origin = stream.highest - order[0]
    for n in order[1:]:
        assert take(stream, start + n) == origin + n
    for n in again:
        assert take(stream, start + n) == REFUSED
        assert stream.kept(origin + n) == (start + n).to_bytes(4, "big")
    assert stream.expected == stream.received == 40
    assert not stream.missing


def test_what_is_too_old_is_refused_so_that_no_number_is_used_twice() -> None:
    stream = of(*range(1, KEPT + 50))
    assert take(stream, 60) == REFUSED
    assert take(stream, 1) == REFUSED
    assert stream.kept(stream.highest - KEPT) is None


def test_a_gap_is_asked_for_at_once_then_again_then_given_up() -> None:
    stream = of(1, 4)
    asked, lost = stream.due(0.0, 0.1)
    assert ([index & 0xFFFF for index in asked], lost) == ([2, 3], 0)
    assert stream.due(0.05, 0.1) == ([], 0), "not before a round trip has passed"
    assert len(stream.due(0.13, 0.1)[0]) == 2
    take(stream, 3, recovered=True)
    assert stream.due(GIVE_UP_S + 0.01, 0.1) == ([], 1)
    assert (stream.given_up, stream.recovered) == (1, 1)


def test_what_comes_again_as_it_was_because_it_was_asked_for_hides_no_loss() -> None:
    stream = of(1, 3, 5)
    stream.due(0.0, 0.1)
    assert take(stream, 2) >= 0
    assert (stream.received, stream.recovered, stream.expected) == (3, 1, 5)
    stream = of(1, 3)
    take(stream, 2)
    assert (stream.received, stream.recovered) == (3, 0), "overtaken, not asked for"


def test_what_is_missing_from_before_a_keyframe_is_no_reason_for_another() -> None:
    stream = of(1, 3, 4, 6)
    stream.refresh(stream.highest)  # 6 is a keyframe
    asked = [len(stream.due(n * 0.13, 0.1)[0]) for n in range(3)]
    assert asked == [2, 2, 0], "asked for twice, for those who can still use them"
    assert stream.due(GIVE_UP_S + 0.1, 0.1) == ([], 0)
    assert stream.given_up == 2
    take(stream, 8, 2.0)
    stream.due(2.0, 0.1)
    assert stream.due(2.0 + GIVE_UP_S + 0.1, 0.1) == ([], 1), "what the keyframe does not make good is"


def test_tries_are_bounded() -> None:
    stream = of(1, 3)
    asked = sum(len(stream.due(n * 0.05, 0.0)[0]) for n in range(19))
    assert asked <= MAX_TRIES


def test_the_list_of_missing_packets_is_bounded() -> None:
    stream = of(*range(0, 4 * MAX_MISSING, 2))
    assert len(stream.missing) == MAX_MISSING
    assert stream.due(0.0, 0.1)[1] > 0, "what fell off the list is told"
    stream = of(1, MAX_MISSING + 10)
    assert len(stream.missing) == 0
    assert stream.due_at == 0.0
    assert stream.due(0.0, 0.1) == ([], MAX_MISSING + 8)
    assert stream.due_at == NEVER


def test_a_stream_that_is_not_repairable_asks_for_nothing() -> None:
    assert of(1, 5, repairable=False).due(0.0, 0.1) == ([], 0)


def test_a_repair_neither_begins_a_stream_nor_moves_it() -> None:
    stream = Reception(90000, repairable=True)
    assert take(stream, 5, recovered=True) == REFUSED
    take(stream, 5)
    assert take(stream, 9, recovered=True) == REFUSED


def test_a_jump_counts_when_the_next_packet_confirms_it() -> None:
    stream = of(1, 2, 3)
    assert take(stream, 40000) == REFUSED
    assert take(stream, 4) > 0, "a single forged number changes nothing"
    assert take(stream, 40000) == REFUSED
    assert take(stream, 40001) == RESTARTED


def test_a_report_tells_the_networks_loss_though_repairs_came() -> None:
    stream = of(1, 2, 3, 5, 6, 8, 9, 10)
    take(stream, 4, recovered=True)
    block = stream.report(99, 0, 0)
    assert (block.ssrc, block.lost, block.fraction, block.highest) == (99, 2, 2 * 256 // 10, 10)
    assert stream.recent() == (10, 2)
    assert stream.report(99, 0, 0).fraction == 0


def test_jitter_is_nothing_for_an_even_stream_and_something_for_an_uneven_one() -> None:
    even, uneven = Reception(90000, repairable=True), Reception(90000, repairable=True)
    for n in range(100):
        take(even, n, n / 30)
        take(uneven, n, n / 30 + (0.01 if n % 2 else 0.0))
    assert even.jitter < 1
    assert 700 < uneven.jitter < 1000


def test_what_waited_behind_the_first_packet_of_its_frame_is_no_jitter() -> None:
    stream = Reception(90000, repairable=True)
    for n in range(100):
        stream.accept(2 * n, n * 3000, n / 30, False)
        stream.accept(2 * n + 1, n * 3000, n / 30 + 0.01, False)
    assert stream.jitter < 1
    assert stream.received == 200


def test_what_is_kept_for_repair_is_about_a_second_of_the_stream() -> None:
    stream = of(*range(1, 101))
    stream.report(1, 0, 0)  # a hundred in this second
    for seq in range(101, 201):
        stream.keep(stream.accept(seq, seq * 900, seq / 100, False), b"packet")
    assert sum(packet is not None for packet in stream.packets) == 100
    assert stream.kept(stream.highest - 99) == b"packet"
    assert stream.kept(stream.highest - 100) is None
    assert stream.accept(50, 50 * 900, 3.0, False) == REFUSED  # a duplicate all the same
    stream.report(1, 0, 0)
    stream.report(1, 0, 0)  # nothing came
    assert sum(packet is not None for packet in stream.packets) == 64


def test_how_long_a_picture_stood_still_for_keyframes_is_read_from_the_frames_behind_them() -> None:
    stream, seq, now = Reception(90000, True), 0, 0.0
    for frame in range(1, 41):
        key = frame % 20 == 0
        for packet in range(8 if key else 1):
            index = stream.accept(seq, frame * 3600, now + packet * 0.03, False)
            if key and packet == 0:
                stream.refresh(index)
            seq += 1
        now += 0.24 if key else 0.04
    assert not stream.standstill.dear, "one is behind, the other not yet"
    stream.accept(seq, 41 * 3600, now, False)
    assert stream.standstill.dear
