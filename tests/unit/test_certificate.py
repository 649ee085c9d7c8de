"""config.certificate: a certificate for this machine, good in real TLS."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest

from config.certificate import self_signed


def test_it_is_good_for_the_machines_addresses_and_localhost(tmp_path: Path) -> None:
    files = self_signed(tmp_path, ["127.0.0.1", "::1", "192.0.2.7"])
    for name in ("127.0.0.1", "::1", "192.0.2.7", "localhost"):
        assert handshake(files, name) in ("TLSv1.2", "TLSv1.3")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(files, "192.0.2.8")


def test_the_key_is_private(tmp_path: Path) -> None:
    _, key = self_signed(tmp_path, ["127.0.0.1"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_it_is_kept_while_it_is_good_and_replaced_when_an_address_is_new(tmp_path: Path) -> None:
    first = self_signed(tmp_path, ["127.0.0.1", "192.0.2.7"])[0].read_bytes()
    assert self_signed(tmp_path, ["127.0.0.1"])[0].read_bytes() == first
    assert self_signed(tmp_path, ["192.0.2.9"])[0].read_bytes() != first


def test_a_broken_file_is_replaced(tmp_path: Path) -> None:
    certificate, _ = self_signed(tmp_path, ["127.0.0.1"])
    certificate.write_text("cut")
    assert b"BEGIN CERTIFICATE" in self_signed(tmp_path, ["127.0.0.1"])[0].read_bytes()


def handshake(files: tuple[Path, Path], name: str) -> str | None:
    """The TLS version that a client agrees on that trusts this certificate and asks for `name`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    near, far = socket.socketpair()

    def serve() -> None:
        try:
            context.wrap_socket(far, server_side=True).close()
        except OSError:
            far.close()

    server = threading.Thread(target=serve)
    server.start()
    try:
        with ssl.create_default_context(cafile=files[0]).wrap_socket(near, server_hostname=name) as client:
            return client.version()
    finally:
        near.close()
        server.join(5)
