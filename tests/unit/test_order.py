"""The reorder window: packets leave in order, each once, and the counts add up whatever the network does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recorder.tape.order import MAX_JUMP, Order, RtpPacket, Unwrap

WINDOW_US = 500_000


def push(order: Order, seq16: int, at_us: int, out: list[RtpPacket], recovered: bool = False) -> None:
    order.push(RtpPacket(order.extend(seq16), 0, False, b"", at_us, 1, recovered), out)


def test_a_hole_is_waited_for_and_then_given_up() -> None:
    order, out = Order(WINDOW_US), []
    push(order, 1, 0, out)
    push(order, 3, 10, out)
    assert [p.seq & 0xFFFF for p in out] == [1]
    order.expire(WINDOW_US, out)
    assert len(out) == 1
    order.expire(WINDOW_US + 10, out)
    assert [p.seq & 0xFFFF for p in out] == [1, 3]
    push(order, 2, WINDOW_US + 20, out)
    assert (order.counts.expected, order.counts.received, order.counts.lost, order.counts.late) == (3, 2, 1, 1)


def test_a_repaired_hole_is_no_loss() -> None:
    order, out = Order(WINDOW_US), []
    push(order, 65_535, 0, out)
    push(order, 1, 5, out)
    push(order, 0, 90, out, recovered=True)
    assert [p.seq & 0xFFFF for p in out] == [65_535, 0, 1]
    assert (order.counts.lost, order.counts.recovered) == (0, 1)


def test_a_new_sequence_is_a_jump_and_not_a_loss() -> None:
    order, out = Order(WINDOW_US), []
    push(order, 10, 0, out)
    push(order, 20 + MAX_JUMP, 1, out)
    push(order, 21 + MAX_JUMP, 2, out)
    assert (order.counts.jumps, order.counts.lost, len(out)) == (1, 0, 3)


def test_a_sequence_that_goes_back_is_believed_when_two_packets_agree() -> None:
    order, out = Order(WINDOW_US), []
    for seq in (5000, 5001, 200, 201, 202):
        push(order, seq, 0, out)
    assert [p.seq & 0xFFFF for p in out] == [5000, 5001, 201, 202]
    assert (order.counts.jumps, order.counts.late) == (1, 1)


def test_a_later_life_counts_nothing_twice() -> None:
    first, out = Order(WINDOW_US), []
    for seq in (1, 2, 3, 4):
        push(first, seq, 0, out)
    assert first.next_seq is not None
    again = Order(WINDOW_US, next_seq=first.next_seq - 2, counted_to=first.next_seq)
    for seq in (2, 3, 4, 5):
        push(again, seq, 0, out)
    assert [p.seq & 0xFFFF for p in out] == [1, 2, 3, 4, 3, 4, 5]
    assert (again.counts.expected, again.counts.received, again.counts.late) == (1, 1, 1)


def test_unwrapping_takes_the_nearest() -> None:
    unwrap = Unwrap(16)
    assert [unwrap(v) - (1 << 16) for v in (65_530, 2, 65_534, 3)] == [65_530, 65_538, 65_534, 65_539]


@given(
    st.integers(0, 65_535),
    st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.booleans()), min_size=1, max_size=200),
)
def test_whatever_is_lost_doubled_or_late_packets_leave_in_order_and_the_counts_add_up(
    first: int, fates: list[tuple[int, bool, bool]]
) -> None:
    sent: list[tuple[int, int]] = []
    for number, (delay, lost, doubled) in enumerate(fates):
        if not lost or number == 0:
            at = number * 10 + (delay if number else 0)
            sent.append((at, number))
            if doubled:
                sent.append((at + 5, number))
    order, out = Order(50), []
    for at, number in sorted(sent):
        order.expire(at, out)
        push(order, (first + number) & 0xFFFF, at, out)
    order.flush(out)
    numbers = [p.seq for p in out]
    assert numbers == sorted(set(numbers))
    counts = order.counts
    assert counts.received == len(out)
    assert counts.expected == counts.received + counts.lost == numbers[-1] - numbers[0] + 1
    assert counts.late + counts.duplicate + counts.received == len(sent)


def test_what_an_earlier_life_had_is_neither_late_nor_a_new_sequence() -> None:
    again, out = Order(WINDOW_US, next_seq=(1 << 16) + 5000, counted_to=(1 << 16) + 5000, had_us=100), []
    for seq in (200, 201, 202, 9000, 5000):
        push(again, seq, 100, out)
    push(again, 5001, 101, out)
    assert [p.seq & 0xFFFF for p in out] == [5000, 5001]
    assert (again.counts.jumps, again.counts.late, again.counts.received) == (0, 0, 2)


def test_a_hole_is_not_given_up_while_its_worker_is_not_heard() -> None:
    order, out = Order(WINDOW_US), []
    push(order, 1, 0, out)
    push(order, 3, 10, out)
    order.heard_us = 1 << 62
    order.expire(9_000_000, out)
    assert len(out) == 1
    order.heard_us = 9_000_000
    order.expire(9_000_000 + WINDOW_US - 1, out)
    assert len(out) == 1
    order.expire(9_000_000 + WINDOW_US, out)
    assert len(out) == 2
