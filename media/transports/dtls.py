"""DTLS for one transport, without I/O: datagrams go in, datagrams come out, and at the end there are SRTP keys.

We are always the server (`a=setup:passive`, RFC 8842). pyOpenSSL runs over two memory BIOs; one context and one
certificate serve every transport.

DTLS-1  A peer whose certificate has none of the fingerprints of its SDP is refused (RFC 8122 §6.2): fail closed.
DTLS-2  What a peer sends before the handshake is done can at most start the handshake anew; after it, a record of
        epoch 0 (any ClientHello) never reaches OpenSSL, and an error there ends nothing. Only close_notify does.
DTLS-3  A peer that repeats itself has not heard us: our last flight goes out again, bit for bit, `MOST_REPEATS` times at
        most. A lost last flight would otherwise be lost for good (DTLS-2), and OpenSSL waits a second for the first.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

MTU = 1200
"""Bytes of UDP payload a flight is cut into: below every path we know, TURN's overhead included."""

PROFILES = b"SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
)
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha-256": hashes.SHA256(),
    "sha-384": hashes.SHA384(),
    "sha-512": hashes.SHA512(),
}
_KEY_SIZES = {b"SRTP_AEAD_AES_128_GCM": (16, 12), b"SRTP_AES128_CM_SHA1_80": (16, 14)}
MOST_REPEATS = 12
_MAX_FLIGHT = 64
"""Datagrams taken from one drain: a flight of ours has under ten."""

DtlsState = Literal["new", "connected", "closed", "refused"]


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key and salt each way, as libsrtp wants them: one string each. `profile` is the name in OpenSSL."""

    profile: bytes
    inbound: bytes
    outbound: bytes


class Certificate:
    """Our self-signed certificate (ECDSA P-256, a year: longer than a process lives).

    Its context serves every endpoint; one for each would cost 0.3 ms a handshake.
    """

    def __init__(self) -> None:
        """Makes a new key pair; the name is random, as WebRTC asks (RFC 8827 §6.5)."""
        key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _self_signed(key)
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION)
        # Certificates are self-signed: identity is the fingerprint, checked once the handshake is done (DTLS-1).
        self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self.context.use_certificate(self._certificate)
        self.context.use_privatekey(key)
        self.context.set_cipher_list(_CIPHERS)
        self.context.set_tlsext_use_srtp(PROFILES)

    @property
    def fingerprint(self) -> str:
        """SHA-256, upper-case hex with colons, as SDP writes it."""
        return self._certificate.fingerprint(hashes.SHA256()).hex(":").upper()


class DtlsEndpoint:
    """One DTLS association, server side."""

    def __init__(self, certificate: Certificate, fingerprints: Iterable[tuple[str, str]]) -> None:
        """`fingerprints`: (hash name, lower-case hex without colons) that the peer's certificate may have."""
        self._certificate = certificate
        self._fingerprints = tuple((name.lower(), value.lower().replace(":", "")) for name, value in fingerprints)
        self._connection = self._fresh()
        self.state: DtlsState = "new"
        self.keys: SrtpKeys | None = None
        self._hello = b""
        self._flight: list[bytes] = []
        """What was sent last."""
        self._again: list[bytes] = []
        self._repeats = 0
        self.restarts = 0
        """Handshakes thrown away because of what came in."""

    def receive(self, datagram: bytes) -> None:
        """Take one datagram of first byte 20–63; then `drain`. Never raises for what is in it."""
        if self.state == "new":
            if _begins(datagram):
                hello, self._hello = self._hello, datagram[13:]
                if self._flight and hello == self._hello:  # DTLS-3
                    self._repeat()
                    return
            self._connection.bio_write(datagram)
            self._shake()
        elif self.state == "connected":
            if _is_epoch_zero(datagram):  # DTLS-2, DTLS-3
                if not _begins(datagram):
                    self._repeat()
                return
            self._connection.bio_write(datagram)
            self._listen()

    def drain(self) -> list[bytes]:
        """The datagrams to send now."""
        out, self._again = self._again, []
        if out:
            return out
        try:
            while len(out) < _MAX_FLIGHT:
                out.append(self._connection.bio_read(MTU + 300))
        except SSL.Error:
            pass  # WantReadError: nothing left
        if out and self.state in ("new", "connected"):
            self._flight = out
        return out

    def timeout(self) -> float | None:
        """Seconds until `handle_timeout` is due, or None."""
        return self._connection.DTLSv1_get_timeout() if self.state in ("new", "connected") else None

    def handle_timeout(self) -> None:
        """Send the last flight again if it is due; then `drain`."""
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error:
            if self.state == "new":
                self._start_anew()

    def close(self) -> None:
        """Say close_notify; then `drain` once more. Idempotent."""
        if self.state == "connected":
            with contextlib.suppress(SSL.Error):
                self._connection.shutdown()
        if self.state != "refused":
            self.state = "closed"

    def _fresh(self) -> SSL.Connection:
        connection = SSL.Connection(self._certificate.context)
        connection.set_ciphertext_mtu(MTU)
        connection.set_accept_state()
        return connection

    def _repeat(self) -> None:
        """DTLS-3."""
        if self._repeats < MOST_REPEATS:
            self._repeats += 1
            self._again = list(self._flight)

    def _start_anew(self) -> None:
        self._connection = self._fresh()
        self._flight = []
        self.restarts += 1

    def _shake(self) -> None:
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error:
            self._start_anew()  # DTLS-2
            return
        self.keys = self._agreed()
        self.state = "connected" if self.keys is not None else "refused"

    def _listen(self) -> None:
        """Let OpenSSL see what came after the handshake: a lost last flight, close_notify. Application data is ignored."""
        try:
            for _ in range(8):
                self._connection.recv(1500)
        except SSL.ZeroReturnError:
            self.state = "closed"
        except SSL.Error:
            pass  # WantReadError, or junk: DTLS-2

    def _agreed(self) -> SrtpKeys | None:
        """The keys, or None if the peer is not who its SDP says or speaks no SRTP profile of ours."""
        connection = self._connection
        peer = connection.get_peer_certificate(as_cryptography=True)
        if peer is None or not _has_fingerprint(peer, self._fingerprints):
            return None
        profile = connection.get_selected_srtp_profile()
        sizes = _KEY_SIZES.get(profile)
        if sizes is None:
            return None
        key, salt = sizes
        material = connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        # RFC 5764 §4.2: client key, server key, client salt, server salt.
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        return SrtpKeys(profile, inbound=client, outbound=server)


def _begins(datagram: bytes) -> bool:
    """Whether it is the beginning of a ClientHello, in plain text."""
    return len(datagram) >= 25 and datagram[0] == 22 and datagram[13] == 1 and datagram[19:22] == b"\x00\x00\x00"


def _is_epoch_zero(datagram: bytes) -> bool:
    """Whether the first record is plaintext: a DTLS 1.2 header with epoch 0, or cut short (RFC 9147 §4)."""
    return len(datagram) < 13 or (datagram[0] < 32 and datagram[3] == 0 and datagram[4] == 0)


def _has_fingerprint(certificate: x509.Certificate, allowed: tuple[tuple[str, str], ...]) -> bool:
    for name, value in allowed:
        digest = _DIGESTS.get(name)
        if digest is not None and certificate.fingerprint(digest).hex() == value:
            return True
    return False


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    serial = x509.random_serial_number()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{serial:x}"[:16])])
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
