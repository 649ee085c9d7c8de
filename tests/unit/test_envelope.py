"""age files to one recipient: opened by their identity alone."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.sealing.envelope import (
    EnvelopeBroken,
    RecipientInvalid,
    new_identity,
    open_envelope,
    recipient_of,
    seal_envelope,
)
from recorder.sealing.escrow import AgeEscrow, open_escrow

IDENTITY, RECIPIENT = new_identity(bytes(range(32)))


def sealed(content: bytes) -> bytes:
    return seal_envelope(content, recipient_of(RECIPIENT), b"e" * 32, b"k" * 16, b"n" * 16)


@given(st.binary(max_size=3000))
def test_what_was_put_in_comes_out(content: bytes) -> None:
    assert open_envelope(sealed(content), IDENTITY) == content


def test_a_file_of_the_public_tool_is_read() -> None:
    made_by_age = (  # age 1.1: `printf 'hello from age' | age -r RECIPIENT | base64`
        "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA5aTVrUEV6NzV0WUZtRmtUTTRadmwyQWhvWHlkQXIwSXZrQkpGTzJ5U3c0Cmx3VVN0NldO"
        "L09GbUlTWi94amZNMmlocGxaNmhwOEpybS9VL21JZ2s0VFEKLS0tIERzT2s5MGlSOThKU0JtUFlEanM2ZWFEdzlkMGo0alQyR0dkNlhRS2wyRTQK"
        "dscoNm5PjmTjLK8tqn8R7eKEloUcfeCJgByhpIyQt0KzIg5LTKHA/KPJtxqvuw=="
    )
    assert open_envelope(base64.b64decode(made_by_age), IDENTITY) == b"hello from age"


@pytest.mark.skipif(shutil.which("age") is None, reason="needs age")
def test_the_public_tool_reads_ours(tmp_path: Path) -> None:
    (tmp_path / "identity").write_text(IDENTITY)
    (tmp_path / "ours").write_bytes(sealed(b"hello from us"))
    words = ["age", "-d", "-i", str(tmp_path / "identity"), str(tmp_path / "ours")]
    assert subprocess.run(words, capture_output=True, check=True).stdout == b"hello from us"


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_changed_bit_or_a_cut_is_seen(at: int, bit: int) -> None:
    whole = sealed(b"content")
    spoiled = bytearray(whole)
    spoiled[at % len(whole)] ^= 1 << bit
    for broken in (bytes(spoiled), whole[: at % len(whole)]):
        with pytest.raises(EnvelopeBroken):
            open_envelope(broken, IDENTITY)


def test_another_identity_opens_nothing() -> None:
    other, _ = new_identity(bytes(32))
    with pytest.raises(EnvelopeBroken):
        open_envelope(sealed(b"content"), other)


@pytest.mark.parametrize(
    "text", ["", "age1", RECIPIENT[:-1], RECIPIENT.replace("1", "2", 1), RECIPIENT[:-1] + "q" * 2, IDENTITY]
)
def test_what_is_no_recipient_is_refused(text: str) -> None:
    with pytest.raises(RecipientInvalid):
        recipient_of(text)


def test_escrow_opens_its_own_key_and_no_other() -> None:
    blob = AgeEscrow(RECIPIENT).wrap(bytes(32), b"context")
    assert open_escrow(blob, IDENTITY, b"context") == bytes(32)
    with pytest.raises(EnvelopeBroken):
        open_escrow(blob, IDENTITY, b"contex")
