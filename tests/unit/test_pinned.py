"""Whom a client trusts that knows its server's own certificate."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.pinned import pinned

Held = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def issued(name: str, by: Held | None, authority: bool = False) -> Held:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(
        by[0].subject if by else subject, subject, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1)
    ).add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    return made.sign(by[1] if by else key, hashes.SHA256()), key


def greets(client: ssl.SSLContext, certificates: Path, key: Path) -> None:
    """A handshake with whoever has these. Raises `ssl.SSLError`."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificates, key)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(down, up), serving.wrap_bio(up, down, server_side=True)]
    for turn in range(6):
        try:
            ends[turn % 2].do_handshake()
        except ssl.SSLWantReadError:
            continue


def test_the_servers_own_certificate_is_trusted_and_nobody_else_of_its_authority(tmp_path: Path) -> None:
    root = issued("root", None, authority=True)
    between = issued("between", root, authority=True)
    for name in ("own", "another"):
        certificate, key = issued(name, between)
        chain = [certificate, between[0]]
        (tmp_path / f"{name}.pem").write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain))
        (tmp_path / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    trusting = pinned(tmp_path / "own.pem")
    greets(trusting, tmp_path / "own.pem", tmp_path / "own.key")
    with pytest.raises(ssl.SSLCertVerificationError):
        greets(trusting, tmp_path / "another.pem", tmp_path / "another.key")
