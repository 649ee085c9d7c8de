"""SM3 by whatever library: the same bytes, or OpenSSL's are used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.evidence import sm3
from recorder.evidence.digest import Digest
from recorder.evidence.sm3 import OpensslSm3, Sm3, new_sm3


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_both_libraries_say_the_same_however_the_bytes_come_and_while_more_come(pieces: list[bytes]) -> None:
    hashes: list[Sm3] = [new_sm3(), OpensslSm3()]
    for n, piece in enumerate(pieces):
        for one in hashes:
            one.update((piece, bytearray(piece), memoryview(piece))[n % 3])
        assert hashes[0].digest() == hashes[1].digest()
    assert hashes[0].digest() == hashes[1].digest() == _whole(b"".join(pieces))


def _whole(content: bytes) -> bytes:
    one = new_sm3()
    one.update(content)
    return one.digest()


def test_the_examples_of_the_standard_come_out() -> None:
    assert Digest(b"abc").sm3 == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert Digest(b"abcd" * 16).sm3 == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


@pytest.mark.parametrize("name", ["libnobodyhas.so.9", "libc.so.6"])
def test_where_the_library_is_not_there_or_is_another_openssl_is_used(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(sm3, "_SOUGHT", name)
    assert sm3._found() is None


def test_a_library_that_says_something_else_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm3, "_ABC", bytes(32))
    assert sm3._found() is None
    monkeypatch.setattr(sm3, "_gcrypt", None)
    assert isinstance(new_sm3(), OpensslSm3)
