"""A bare RTP peer for load: one UDP socket, the little ICE a client needs, DTLS in either role, SRTP.

It exists so that the client costs little and does the same against every server: no encoder, no jitter buffer, no
feedback. STUN comes from aioice, DTLS from pyOpenSSL, SRTP from pylibsrtp. When a packet came is the kernel's word
(`SO_TIMESTAMPNS`), not the moment at which this process, busy with sending, looks: that would be the client's delay.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from struct import Struct

from aioice import stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from OpenSSL.crypto import X509
from pylibsrtp import Policy, Session

PROFILES = {
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}


SO_TIMESTAMPNS = 35
"""Linux (asm-generic/socket.h): each datagram comes with a `timespec` of CLOCK_REALTIME."""
_TIMESPEC = Struct("@qq")
_ROOM = socket.CMSG_SPACE(_TIMESPEC.size)


class Certificate:
    """One self-signed certificate and DTLS context, shared by all peers of a process."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
        now = datetime.now(tz=UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = ":".join(f"{byte:02X}" for byte in made.fingerprint(hashes.SHA256()))
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.use_certificate(X509.from_cryptography(made))
        self.context.use_privatekey(key)
        self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self.context.set_cipher_list(b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
        self.context.set_tlsext_use_srtp(b":".join(PROFILES))


class Peer:
    """One transport. `on_rtp(packet, came_ns)` hears every decrypted RTP packet, and when it reached the socket."""

    def __init__(self, certificate: Certificate, local_ip: str, on_rtp: Callable[[bytes, int], None]) -> None:
        self.certificate = certificate
        self.ufrag, self.pwd = secrets.token_hex(4), secrets.token_hex(16)
        self.connected = asyncio.get_running_loop().create_future()
        self._on_rtp = on_rtp
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((local_ip, 0))
        self._socket.setblocking(False)
        self.address: tuple[str, int] = self._socket.getsockname()
        self._remote: tuple[str, int] | None = None
        self._validated = False
        self._tx: Session | None = None
        self._rx: Session | None = None
        self._tasks: list[asyncio.Task[None]] = []
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)

    def candidate(self) -> str:
        """Our host candidate, as an SDP line."""
        return f"a=candidate:1 1 udp 2130706431 {self.address[0]} {self.address[1]} typ host"

    def start(self, remote: tuple[str, int], ufrag: str, pwd: str, *, controlling: bool, dtls_client: bool) -> None:
        """Check the remote candidate and shake hands."""
        self._remote, self._remote_ufrag, self._remote_pwd = remote, ufrag, pwd
        self._controlling, self._dtls_client = controlling, dtls_client
        self._dtls = SSL.Connection(self.certificate.context, None)
        (self._dtls.set_connect_state if dtls_client else self._dtls.set_accept_state)()
        self._tasks.append(asyncio.create_task(self._keep_checking()))

    def send(self, packet: bytes) -> bool:
        """Protect and send one RTP packet; False when the socket is full."""
        assert self._tx is not None
        assert self._remote is not None
        try:
            self._socket.sendto(self._tx.protect(packet), self._remote)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def _readable(self) -> None:
        ahead = time.time_ns() - time.monotonic_ns()
        for _ in range(256):
            try:
                data, told, _, address = self._socket.recvmsg(2048, _ROOM)
            except BlockingIOError:
                return
            seconds, rest = _TIMESPEC.unpack(told[0][2])
            came_ns = seconds * 1_000_000_000 + rest - ahead
            first = data[0] if data else 255
            if 128 <= first <= 191:
                if self._rx is not None and not 192 <= data[1] <= 223:
                    self._on_rtp(self._rx.unprotect(data), came_ns)
            elif 20 <= first <= 63:
                self._hear_dtls(data)
            elif first <= 3:
                self._hear_stun(data, address)

    def _hear_stun(self, data: bytes, address: tuple[str, int]) -> None:
        message = stun.parse_message(data)
        if message.message_class == stun.Class.REQUEST:
            answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=message.transaction_id)
            answer.attributes["XOR-MAPPED-ADDRESS"] = address
            answer.add_message_integrity(self.pwd.encode())
            self._socket.sendto(bytes(answer), address)
        elif message.message_class == stun.Class.RESPONSE and not self._validated:
            self._validated = True
            if self._dtls_client:
                self._shake()
                self._tasks.append(asyncio.create_task(self._keep_shaking()))

    async def _keep_checking(self) -> None:
        while True:
            check = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            check.attributes["USERNAME"] = f"{self._remote_ufrag}:{self.ufrag}"
            check.attributes["PRIORITY"] = 1845494271
            if self._controlling:
                check.attributes["ICE-CONTROLLING"] = 1
                check.attributes["USE-CANDIDATE"] = None
            else:
                check.attributes["ICE-CONTROLLED"] = 1
            check.add_message_integrity(self._remote_pwd.encode())
            assert self._remote is not None
            self._socket.sendto(bytes(check), self._remote)
            await asyncio.sleep(2.0 if self._validated else 0.1)

    async def _keep_shaking(self) -> None:
        while self._tx is None:
            await asyncio.sleep(0.3)
            if self._tx is None and self._dtls.DTLSv1_handle_timeout():
                self._flush()

    def _hear_dtls(self, data: bytes) -> None:
        if self._tx is None and self._remote is not None:
            self._dtls.bio_write(data)
            self._shake()

    def _shake(self) -> None:
        done = False
        with contextlib.suppress(SSL.WantReadError):
            self._dtls.do_handshake()
            done = True
        self._flush()
        if done:
            self._take_keys()

    def _flush(self) -> None:
        with contextlib.suppress(SSL.WantReadError):
            while True:
                assert self._remote is not None
                self._socket.sendto(self._dtls.bio_read(1500), self._remote)

    def _take_keys(self) -> None:
        profile, key, salt = PROFILES[self._dtls.get_selected_srtp_profile()]
        keys = self._dtls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        client = keys[:key] + keys[2 * key : 2 * key + salt]
        server = keys[key : 2 * key] + keys[2 * key + salt :]
        ours, theirs = (client, server) if self._dtls_client else (server, client)
        self._tx = Session(Policy(key=ours, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        self._rx = Session(Policy(key=theirs, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
        if not self.connected.done():
            self.connected.set_result(None)
