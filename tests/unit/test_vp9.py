"""VP9's payload descriptor (RFC 9628 §4.2): read in both modes, with every part that may stand in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp.vp9 import Descriptor, descriptor
from tests.vp9 import described

KEY = bytes.fromhex("be e492 10 50 0140 00b4 0280 0168 0500 02d0 83")
"""The first packet of a Chromium's (156, L3T3_KEY): 180, 360 and 720 lines."""


def read(packet: bytes) -> Descriptor | None:
    return descriptor(b"\xff" * 3 + packet, 3, 3 + len(packet))


def test_a_browsers_key_picture_tells_its_layers() -> None:
    found = read(KEY)
    assert found is not None
    assert (found.at - 3, found.picture, found.spatial, found.temporal) == (len(KEY) - 1, 0x6492, 0, 0)
    assert found.sizes == ((320, 180), (640, 360), (1280, 720))
    assert (found.key, found.begins, found.ends, found.climbs, found.leans, found.alone) == (
        (True,) * 4 + (False, False)
    )


LAYERS = st.fixed_dictionaries(
    {
        "picture": st.none() | st.integers(0, 0x7FFF),
        "inter": st.booleans(),
        "begins": st.booleans(),
        "ends": st.booleans(),
        "alone": st.booleans(),
        "references": st.lists(st.integers(1, 127), min_size=1, max_size=3),
        "base": st.none() | st.integers(0, 255),
        "sizes": st.none() | st.lists(st.tuples(st.integers(1, 65535), st.integers(1, 65535)), min_size=1, max_size=8),
        "pictures": st.none() | st.lists(st.lists(st.integers(0, 255), max_size=3), max_size=20),
    }
)
WHERE = st.fixed_dictionaries(
    {"spatial": st.integers(0, 7), "temporal": st.integers(0, 7), "climbs": st.booleans(), "leans": st.booleans()}
)


@given(LAYERS, st.none() | WHERE, st.binary(min_size=1, max_size=9))
def test_what_was_written_is_read_whatever_stands_in_it(
    said: dict[str, object], where: dict[str, object] | None, payload: bytes
) -> None:
    packet = described(payload, **said, **(where or {}), layered=where is not None)  # type: ignore[arg-type]
    found = read(packet)
    assert found is not None
    assert packet[found.at - 3 :] == payload
    for name in ("inter", "begins", "ends", "alone"):
        assert getattr(found, name) is said[name]
    nowhere = {"spatial": 0, "temporal": 0, "climbs": False, "leans": False}
    assert {name: getattr(found, name) for name in nowhere} == (where or nowhere)
    assert found.picture == (-1 if said["picture"] is None else said["picture"])
    assert found.sizes == (None if said["sizes"] is None else tuple(said["sizes"]))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", range(len(KEY)))
def test_a_descriptor_that_is_cut_short_tells_nothing(size: int) -> None:
    assert read(KEY[:size]) is None


def test_more_references_than_there_may_be_are_no_descriptor() -> None:
    assert read(described(b"x", inter=True, references=(1, 2, 3))) is not None
    assert read(described(b"x", inter=True, references=(1, 2, 3, 4))) is None


def test_a_structure_without_sizes_still_counts_the_layers() -> None:
    found = read(b"\x8a\x01\x20x")
    assert found is not None
    assert found.sizes == ((0, 0), (0, 0))
