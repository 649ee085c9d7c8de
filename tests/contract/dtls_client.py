"""The active side of DTLS on memory BIOs, for tests of the passive one."""

from __future__ import annotations

import contextlib
import datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

from media.transports.dtls import Certificate, DtlsEndpoint


@cache
def server_certificate() -> Certificate:
    return Certificate()


class DtlsClient:
    """A client with a certificate of its own."""

    def __init__(self, profiles: bytes = b"SRTP_AEAD_AES_128_GCM") -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _self_signed(key)
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_NONE, lambda *_: True)
        context.use_certificate(self.certificate)
        context.use_privatekey(key)
        context.set_tlsext_use_srtp(profiles)
        self.connection = SSL.Connection(context)
        self.connection.set_connect_state()

    def print_of(self, name: str = "sha-256") -> tuple[str, str]:
        digest = {"sha-256": hashes.SHA256(), "sha-384": hashes.SHA384(), "sha-512": hashes.SHA512()}[name]
        return name, self.certificate.fingerprint(digest).hex()

    def endpoint(self) -> DtlsEndpoint:
        """A server that expects this client."""
        return DtlsEndpoint(server_certificate(), [self.print_of()])

    def drain(self) -> list[bytes]:
        out: list[bytes] = []
        with contextlib.suppress(SSL.WantReadError):
            while True:
                out.append(self.connection.bio_read(1500))
        return out

    def step(self, heard: list[bytes]) -> list[bytes]:
        """Take datagrams, go on with the handshake, and return what to send."""
        for datagram in heard:
            self.connection.bio_write(datagram)
        with contextlib.suppress(SSL.WantReadError):
            self.connection.do_handshake()
        return self.drain()

    def shake(self, endpoint: DtlsEndpoint) -> None:
        """Both sides in turn until it is settled."""
        heard: list[bytes] = []
        for _ in range(10):
            for datagram in self.step(heard):
                endpoint.receive(datagram)
            heard = endpoint.drain()


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a client")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    return dated.serial_number(x509.random_serial_number()).sign(key, hashes.SHA256())
