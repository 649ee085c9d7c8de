"""Root keys in a folder: wrap, unwrap, rotate, destroy."""

from __future__ import annotations

from pathlib import Path

import pytest

from recorder.kms import FileKms, KeyDestroyed, WrapBroken, Wrapped

DATA = bytes(range(32))
CONTEXT = b"Vb3k/patient"


def test_what_was_wrapped_is_unwrapped(tmp_path: Path) -> None:
    wrapped = FileKms(tmp_path / "kms").wrap(DATA, CONTEXT)
    assert DATA not in wrapped.blob
    assert FileKms(tmp_path / "kms").unwrap(wrapped, CONTEXT) == DATA


def test_wrapping_twice_gives_two_blobs(tmp_path: Path) -> None:
    kms = FileKms(tmp_path)
    assert kms.wrap(DATA, CONTEXT).blob != kms.wrap(DATA, CONTEXT).blob


def test_after_a_rotation_new_keys_are_wrapped_under_the_new_root_and_old_ones_still_open(tmp_path: Path) -> None:
    kms = FileKms(tmp_path)
    before = kms.wrap(DATA, CONTEXT)
    root = kms.rotate()
    after = kms.wrap(DATA, CONTEXT)
    assert before.root != root == after.root
    assert kms.unwrap(before, CONTEXT) == kms.unwrap(after, CONTEXT) == DATA


def test_a_destroyed_root_opens_nothing_it_wrapped_and_leaves_the_others(tmp_path: Path) -> None:
    kms = FileKms(tmp_path)
    shredded = kms.wrap(DATA, CONTEXT)
    kms.rotate()
    kept = kms.wrap(DATA, CONTEXT)
    kms.destroy(shredded.root)
    kms.destroy(shredded.root)
    with pytest.raises(KeyDestroyed):
        kms.unwrap(shredded, CONTEXT)
    assert kms.unwrap(kept, CONTEXT) == DATA


def test_a_wrapped_key_opens_for_its_own_stream_only(tmp_path: Path) -> None:
    kms = FileKms(tmp_path)
    wrapped = kms.wrap(DATA, CONTEXT)
    spoiled = bytearray(wrapped.blob)
    spoiled[20] ^= 1
    for broken, context in (
        (wrapped, b"Vb3k/doctor"),
        (wrapped._replace(blob=bytes(spoiled)), CONTEXT),
        (wrapped._replace(blob=wrapped.blob[:20]), CONTEXT),
        (wrapped._replace(root=kms.rotate()), CONTEXT),
    ):
        with pytest.raises(WrapBroken):
            kms.unwrap(broken, context)


@pytest.mark.parametrize("root", ["", "../../etc/passwd", "unknown-root-key"])
def test_a_root_that_is_not_there_is_said_to_be_gone(tmp_path: Path, root: str) -> None:
    with pytest.raises(KeyDestroyed):
        FileKms(tmp_path).unwrap(Wrapped(root, bytes(60)), CONTEXT)


def test_root_keys_are_the_owners_alone(tmp_path: Path) -> None:
    FileKms(tmp_path / "kms").rotate()
    (path,) = (tmp_path / "kms").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "kms").stat().st_mode & 0o777 == 0o700
