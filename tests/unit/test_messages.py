"""What the evidence log remembers of a message, worked out by hand from PROTOCOL.md §8."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from signaling.law.messages import Draft, Message, Photo, says, sha256

AT = "2026-05-04T09:12:00.123Z"
TEXT = Message("V1", 4, "k3", "patient", AT, "ab" * 16, '头"还\n\t是晕\u2028')
PHOTO = replace(TEXT, text=None, photo=Photo("p1", "image/png", 10, 2, 3, "cd" * 32))


def test_the_hash_is_over_seven_lines() -> None:
    lines = ["teleconsult message 1", "V1", "4", "patient", AT, "ab" * 16, '"头\\"还\\n\\t是晕\u2028"']
    assert sha256(TEXT) == hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    lines[-1] = "cd" * 32
    assert sha256(PHOTO) == hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def test_whatever_is_changed_changes_the_hash() -> None:
    at = AT[:-2] + "4Z"
    changed = [{"visit": "V2"}, {"seq": 5}, {"seat": "doctor"}, {"at": at}, {"nonce": "00" * 16}, {"text": ""}]
    assert len({sha256(replace(TEXT, **each)) for each in changed} | {sha256(TEXT)}) == len(changed) + 1


def test_a_draft_is_its_message_only_if_everything_is_the_same() -> None:
    assert says(TEXT, Draft("k3", TEXT.text))
    assert says(PHOTO, Draft("k3", photo="p1"))
    for other in (Draft("k4", TEXT.text), Draft("k3", "x"), Draft("k3", photo="p1")):
        assert not says(TEXT, other)
