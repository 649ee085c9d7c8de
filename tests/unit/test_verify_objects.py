"""Media and other objects: what is changed, missing, exchanged, added or badly named is caught, by its rule."""

from __future__ import annotations

import pytest

from tests.forgeries import judge, plain_visit, rules, segments_of, where


@pytest.mark.parametrize("at", [0, 100, -1])
def test_a_flipped_byte_in_a_segment_is_caught(at: int) -> None:
    objects = plain_visit()
    name = segments_of(objects)[2]
    spoiled = bytearray(objects[name])
    spoiled[at] ^= 1
    verdict = judge({**objects, name: bytes(spoiled)})
    assert verdict.broken == [("SEG-2", name)]
    assert not verdict.intact
    assert not verdict.complete


def test_a_segment_cut_short_or_lengthened_is_caught() -> None:
    objects = plain_visit()
    name = segments_of(objects)[0]
    for data in (objects[name][:-1], objects[name] + b"\0", b""):
        assert judge({**objects, name: data}).broken == [("SEG-2", name)]


def test_a_deleted_segment_is_caught() -> None:
    objects = plain_visit()
    name = segments_of(objects)[3]
    del objects[name]
    assert judge(objects).broken == [("SEG-1", name)]


def test_two_segments_swapped_are_both_caught() -> None:
    objects = plain_visit()
    one, other = segments_of(objects)[1], segments_of(objects)[5]
    objects[one], objects[other] = objects[other], objects[one]
    assert judge(objects).broken == [("SEG-2", one), ("SEG-2", other)] or rules(judge(objects)) == {"SEG-2"}
    assert set(where(judge(objects), "SEG-2")) == {one, other}


def test_a_changed_or_deleted_init_is_caught() -> None:
    objects = plain_visit()
    name = "streams/doctor/part-001/init.webm"
    assert judge({**objects, name: objects[name] + b"x"}).broken == [("PART-2", name)]
    del objects[name]
    assert judge(objects).broken == [("PART-2", name)]


@pytest.mark.parametrize(
    "name",
    [
        "streams/doctor/part-001/seg-000099.webm",
        "streams/doctor/part-002/init.webm",
        "streams/stranger/part-001/seg-000001.webm",
        "records/1.jsonl",
        "records/000000.jsonl",
        f"keys/{'0' * 64}.pem",
        "notes.txt",
        "streams",
    ],
)
def test_an_object_that_no_record_names_is_caught(name: str) -> None:
    assert judge({**plain_visit(), name: b"more"}).broken == [("LAYOUT-1", name)]


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/passwd", "streams/../x", "a\\b", "a//b", "a/", "", "two words", "é"]
)
def test_an_unsafe_name_is_refused(name: str) -> None:
    assert "LAYOUT-4" in rules(judge({**plain_visit(), name: b"x"}))
