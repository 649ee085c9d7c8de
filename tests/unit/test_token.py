"""Who signed a time-stamp token: a real authority of openssl's, and every way to pass for it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from recorder.evidence.timestamp import TimestampInvalid, answers, request
from recorder.evidence.token import Authority, roots_in, signed_by
from tests.authority import make_authority, reply_to

DATA = b"what is stamped"


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


def certificate(
    subject: str, issuer: str, by: int, key: int, *more: tuple[x509.ExtensionType, bool]
) -> x509.Certificate:
    private = Ed25519PrivateKey.from_private_bytes(bytes([by]) * 32)
    public = Ed25519PrivateKey.from_private_bytes(bytes([key]) * 32).public_key()
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    made = x509.CertificateBuilder(names[1], names[0], public, x509.random_serial_number())
    made = made.not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(2090, 1, 1))
    for extension, critical in more:
        made = made.add_extension(extension, critical)
    return made.sign(private, None)


def usage(**yes: bool) -> tuple[x509.KeyUsage, bool]:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    every = {**dict.fromkeys((*names, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False), **yes}
    return x509.KeyUsage(**every), True


CA = (x509.BasicConstraints(True, None), True)
STAMPING = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
UNHEARD_OF = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\5\0"), True)


@pytest.mark.parametrize(
    ("middle", "leaf", "leads"),
    [
        ([CA], [], True),
        ([CA, usage(key_cert_sign=True)], [usage(digital_signature=True)], True),
        ([CA, usage(digital_signature=True)], [], False),
        ([CA, UNHEARD_OF], [], False),
        ([CA], [UNHEARD_OF], False),
        ([CA], [usage(key_cert_sign=True)], False),
        ([CA], [usage()], False),
        ([(x509.BasicConstraints(False, None), True)], [], False),
        ([(x509.BasicConstraints(True, 0), True)], [], True),
    ],
)
def test_a_chain_is_followed_as_its_certificates_allow(
    reply: bytes,
    middle: list[tuple[x509.ExtensionType, bool]],
    leaf: list[tuple[x509.ExtensionType, bool]],
    leads: bool,
) -> None:
    root = certificate("root", "root", 1, 1, CA)
    between = certificate("between", "root", 1, 2, *middle)
    assert Authority(certificate("tsa", "between", 2, 3, STAMPING, *leaf), [between]).leads_to([root], reply) is leads


def test_a_chain_is_no_longer_than_its_authorities_allow(reply: bytes) -> None:
    for allowed in (0, 1):
        root = certificate("root", "root", 1, 1, (x509.BasicConstraints(True, allowed), True))
        between = certificate("between", "root", 1, 2, CA)
        stamping = certificate("tsa", "between", 2, 3, STAMPING)
        assert Authority(stamping, [between]).leads_to([root], reply) is bool(allowed)
