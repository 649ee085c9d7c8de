"""Trust lists: read strictly, because guessing here would be trusting."""

from __future__ import annotations

import pytest

from recorder.evidence.trust import Trust, TrustListInvalid, parse_trust, trust_line

A, B = "a" * 64, "b" * 64


def test_comments_blank_lines_and_several_keys_are_fine() -> None:
    trust = parse_trust(f"# ours\n\nh.example/x {A}\nh.example/x\t{B}  # the second recorder\n")
    assert trust.allows("h.example/x", A)
    assert trust.allows("h.example/x", B)
    assert trust.allows("h.example/x", "c" * 64) is False
    assert trust.allows("other", A) is None


def test_a_written_line_is_read_again() -> None:
    assert parse_trust(trust_line("h.example/x", A)) == Trust({"h.example/x": frozenset({A})})


@pytest.mark.parametrize("line", ["x", f"x {A[:-1]}", f"x {A} more", f"x {A.upper()}", f"x y {A}", f"é {A}"])
def test_a_line_that_cannot_be_read_is_refused_by_number(line: str) -> None:
    with pytest.raises(TrustListInvalid, match="line 2"):
        parse_trust(f"ok {A}\n{line}\n")
