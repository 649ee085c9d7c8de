"""Who signed a time-stamp token: a real authority of openssl's, and every way to pass for it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from recorder.evidence.timestamp import TimestampInvalid, answers, request
from recorder.evidence.token import roots_in, signed_by
from tests.authority import make_authority, reply_to

DATA = b"what is stamped"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def reply(authority: Path) -> bytes:
    return reply_to(authority, request(DATA, 7))


def test_a_token_names_its_authority_and_leads_to_its_root(authority: Path, reply: bytes) -> None:
    signer = signed_by(reply)
    assert signer.name == "CN=Test TSA"
    assert signer.leads_to(roots_in((authority / "ca.crt").read_bytes()), reply)
    assert not signer.leads_to([], reply)


def test_another_authority_of_the_same_name_does_not_lead_there(authority: Path, tmp_path: Path) -> None:
    other = reply_to(make_authority(tmp_path), request(DATA, 7))
    signer = signed_by(other)
    assert signer.name == "CN=Test TSA"
    assert not signer.leads_to(roots_in((authority / "ca.crt").read_bytes()), other)


def test_a_certificate_for_something_else_does_not_vouch_for_time(authority: Path, reply: bytes) -> None:
    # The root itself is trusted and may not stamp.
    root = roots_in((authority / "ca.crt").read_bytes())[0]
    signer = signed_by(reply)
    signer.certificate = root
    assert not signer.leads_to([root], reply)


def test_whatever_is_signed_cannot_be_changed(reply: bytes) -> None:
    rng = Random(3)
    told = answers(reply, DATA)
    for _ in range(400):
        at = rng.randrange(len(reply))
        spoiled = bytearray(reply)
        spoiled[at] ^= 1 << rng.randrange(8)
        try:
            if answers(bytes(spoiled), DATA) != told:
                signed_by(bytes(spoiled))
                pytest.fail(f"byte {at} tells another time")
            signed_by(bytes(spoiled))
        except TimestampInvalid:
            continue


def test_no_bytes_do_more_than_be_refused(reply: bytes) -> None:
    rng = Random(4)
    for _ in range(300):
        size = rng.randrange(len(reply))
        for data in (reply[:size], rng.randbytes(size), reply[:size] + rng.randbytes(20)):
            with pytest.raises(TimestampInvalid):
                signed_by(data)
