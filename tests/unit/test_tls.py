"""signaling.tls: a renewed certificate is taken up without a restart."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from pathlib import Path

import pytest

from config.certificate import self_signed
from signaling.tls import Certificate


def shown(context: ssl.SSLContext) -> bytes:
    """What a client is shown."""
    near, far = socket.socketpair()
    serving = threading.Thread(target=lambda: context.wrap_socket(far, server_side=True).close())
    serving.start()
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    try:
        with trusting.wrap_socket(near) as client:
            return client.getpeercert(binary_form=True) or b""
    finally:
        serving.join(5)


def test_a_renewed_certificate_is_shown_to_the_next_client(tmp_path: Path) -> None:
    files, fresh = self_signed(tmp_path / "one", ["127.0.0.1"]), self_signed(tmp_path / "two", ["127.0.0.1"])
    served = Certificate(*files)
    first = shown(served.context)
    assert not served.look()
    for old, new in zip(files, fresh, strict=True):
        os.replace(new, old)  # as certbot does: another file under the same name
    assert served.look()
    assert shown(served.context) != first
    assert not served.look()


def test_half_a_renewal_leaves_the_old_one_in_force_and_is_tried_again(tmp_path: Path) -> None:
    files, fresh = self_signed(tmp_path / "one", ["127.0.0.1"]), self_signed(tmp_path / "two", ["127.0.0.1"])
    served = Certificate(*files)
    first = shown(served.context)
    os.replace(fresh[0], files[0])
    assert not served.look()
    assert shown(served.context) == first
    os.replace(fresh[1], files[1])
    assert served.look()
    files[0].unlink()
    assert not served.look()
    assert shown(served.context) != first


def test_what_is_no_certificate_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "cut").write_text("cut")
    with pytest.raises(ssl.SSLError):
        Certificate(tmp_path / "cut", tmp_path / "cut")
