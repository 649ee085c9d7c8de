"""Numbers nobody else has."""

from __future__ import annotations

import re

from media.rooms.numbers import Credentials, Ssrcs


def test_ssrcs_never_repeat_and_are_never_zero() -> None:
    ssrcs = Ssrcs(lambda octets: bytes(octets))
    given = [ssrcs.new() for _ in range(10_000)]
    assert len(set(given)) == len(given)
    assert 0 not in given
    assert max(given) < 1 << 32


def test_the_number_before_zero_is_followed_by_another() -> None:
    step = 0x9E3779B1
    assert Ssrcs(lambda octets: ((1 << 32) - step).to_bytes(octets, "big")).new() == step


def test_credentials_are_ice_chars_and_long_enough() -> None:
    made = Credentials(lambda octets: b"\xfb\xff" * (octets // 2)).new()
    assert re.fullmatch(r"[A-Za-z0-9+/]{8}", made.ufrag)
    assert re.fullmatch(r"[A-Za-z0-9+/]{24}", made.pwd)
