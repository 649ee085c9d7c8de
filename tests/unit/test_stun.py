"""STUN against the test vector of RFC 5769 and against aioice's codec."""

from __future__ import annotations

import pytest
from aioice import stun as theirs

from media.transports import stun

RFC5769_REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
KEY = stun.ShortTermKey("VOkJxbRl1RmTxUk/WvJxBt")


def test_the_request_of_rfc_5769_is_read_and_authentic() -> None:
    message = stun.parse(RFC5769_REQUEST)
    assert (message.kind, message.username, message.has_fingerprint) == (stun.BINDING_REQUEST, "evtj:h6vY", True)
    assert message.unknown == ()
    assert stun.is_authentic(RFC5769_REQUEST, message, KEY)
    assert not stun.is_authentic(RFC5769_REQUEST, message, stun.ShortTermKey("another"))


@pytest.mark.parametrize(("ip", "host"), [(b"\xc0\x00\x02\x01", "192.0.2.1"), (bytes(15) + b"\x01", "::1")])
def test_aioice_reads_our_answer(ip: bytes, host: str) -> None:
    answer = stun.binding_success(b"t" * 12, (ip, 32853), KEY)
    heard = theirs.parse_message(answer)
    assert heard.check_message_integrity(b"VOkJxbRl1RmTxUk/WvJxBt")
    assert heard.message_class is theirs.Class.RESPONSE
    assert heard.attributes["XOR-MAPPED-ADDRESS"] == (host, 32853)


def test_aioice_reads_our_errors() -> None:
    heard = theirs.parse_message(stun.binding_error(b"t" * 12, 420, KEY, (0x7777,)))
    assert heard.attributes["ERROR-CODE"] == (420, "Unknown Attribute")


def test_we_read_aioices_check() -> None:
    request = theirs.Message(theirs.Method.BINDING, theirs.Class.REQUEST, b"t" * 12)
    request.attributes["USERNAME"] = "ours:theirs"
    request.attributes["PRIORITY"] = 7
    request.attributes["ICE-CONTROLLING"] = 9
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(b"secret")
    message = stun.parse(bytes(request))
    assert message.use_candidate
    assert stun.is_authentic(bytes(request), message, stun.ShortTermKey("secret"))


def test_an_attribute_that_must_be_understood_is_named() -> None:
    body = b"\x77\x77\x00\x00"
    message = stun.parse(b"\x00\x01\x00\x04\x21\x12\xa4\x42" + b"t" * 12 + body)
    assert message.unknown == (0x7777,)


@pytest.mark.parametrize(
    "spoiled",
    [RFC5769_REQUEST[:19], RFC5769_REQUEST[:-1], b"\xff" + RFC5769_REQUEST[1:], RFC5769_REQUEST[:-1] + b"\x00"],
)
def test_what_is_cut_or_altered_is_refused(spoiled: bytes) -> None:
    with pytest.raises(stun.StunError):
        stun.parse(spoiled)
