"""A stream's seal: objects a stranger can open, drafts that hold what was committed, and nothing in clear."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.sealing.data_key import HeldKey, commitment
from recorder.sealing.opened import Opener, plain_size, sealed_range
from recorder.sealing.seal import SealBroken
from recorder.sealing.stream_seal import StreamSeal
from tests import stranger

SECRET = bytes(range(32))
NAME = "streams/patient/part-001/seg-000001.webm"
SUITES = ("aes256gcm", "sm4gcm")


def seal_of(suite: str = "aes256gcm", secret: bytes = SECRET, seed: int = 1) -> StreamSeal:
    return StreamSeal("v1", HeldKey(commitment(secret), suite, (), "patient"), secret, Random(seed).randbytes)  # type: ignore[arg-type]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_a_stranger_opens_an_object_by_the_format_alone(suite: str, size: int) -> None:
    content = Random(size).randbytes(size)
    sealed = seal_of(suite).whole(NAME, content)
    assert stranger.key_name(SECRET) == seal_of(suite).record.key
    assert stranger.unseal(sealed, suite, SECRET, "v1", NAME) == content
    assert len(sealed) == stranger.sealed_size(size)
    assert plain_size(len(sealed)) == size


@given(st.integers(0, 300_000), st.data())
def test_every_range_of_the_content_lies_where_it_is_said_to_lie(size: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    begin, stop, first = sealed_range(start, end, stranger.sealed_size(size))
    assert (begin - 48) % 65_552 == 0
    assert first == start // 65_536
    assert begin <= stop <= stranger.sealed_size(size)
    assert end <= (-(-(stop - 48) // 65_552)) * 65_536


@given(st.lists(st.binary(max_size=2000), max_size=8), st.sampled_from(SUITES))
def test_a_draft_gives_back_what_was_committed_and_shows_none_of_it(runs: list[bytes], suite: str) -> None:
    growing, draft, written = seal_of(suite).draft(NAME), b"", b""
    for run in [b"begin", *runs]:
        draft += growing.frame(run)
        written += run
        assert seal_of(suite).content_of(NAME, draft) == written
    assert not any(len(run) > 8 and run in draft for run in runs)


def test_a_draft_that_was_changed_cut_or_is_anothers_is_refused() -> None:
    seal = seal_of()
    growing = seal.draft(NAME)
    one, two = growing.frame(b"one" * 100), growing.frame(b"two" * 100)
    again = seal.draft(NAME).frame(b"one" * 100)
    other = NAME.replace("000001", "000002")
    for draft, name, reader in (
        (two + one, NAME, seal),
        (one[:48] + two + one[48:], NAME, seal),
        (one + one[48:], NAME, seal),
        (again + two, NAME, seal),
        (one + two[:-1], NAME, seal),
        (one[:60] + bytes([one[60] ^ 1]) + one[61:], NAME, seal),
        (one + two, other, seal),
        (one + two, NAME, seal_of(secret=bytes(32))),
        (one + two, NAME, seal_of("sm4gcm")),
    ):
        with pytest.raises(SealBroken):
            reader.content_of(name, draft)


def test_a_run_longer_than_a_chunk_is_several_chunks_of_a_draft() -> None:
    long = Random(1).randbytes(200_000)
    growing = seal_of().draft(NAME)
    draft = growing.frame(long) + growing.frame(b"and more")
    assert seal_of().content_of(NAME, draft) == long + b"and more"


def test_sealing_again_uses_no_nonce_twice() -> None:
    seal = seal_of()
    assert seal.whole(NAME, b"x" * 100)[:48] != seal.whole(NAME, b"x" * 100)[:48]


def test_an_opener_without_the_key_says_which_is_missing() -> None:
    from recorder.evidence.ledger import Expected
    from recorder.sealing.opened import KeyMissing

    seal = seal_of()
    stored = seal.whole(NAME, b"content")
    known = Expected(len(stored), "", "", False, seal.record)
    assert Opener("v1", {seal.held.key: SECRET}).content(NAME, known, stored) == b"content"
    with pytest.raises(KeyMissing, match=seal.held.key[:16]):
        Opener("v1", {}).content(NAME, known, stored)
    with pytest.raises(SealBroken):
        Opener("v2", {seal.held.key: SECRET}).content(NAME, known, stored)
