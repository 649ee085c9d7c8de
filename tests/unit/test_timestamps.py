"""Timestamps by a real authority (openssl's), read by us and verified by openssl; and authorities that fail."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from recorder.evidence.timestamp import TimestampInvalid, answers, parse_reply, request
from recorder.log.timestamps import Authorities, NoTimestamp, place_of
from tests.authority import openssl, reply_to, served

DATA = b'{"signatures":[]}\n'


@pytest.fixture(scope="module")
def reply(authority: Path) -> bytes:
    return reply_to(authority, request(DATA, 7))


def test_openssl_reads_our_request(authority: Path) -> None:
    for nonce in (0, 1, 127, 128, 255, 2**62 + 1):
        (authority / "ours").write_bytes(request(DATA, nonce))
        text = openssl(authority, "ts", "-query", "-in", "ours", "-text").decode()
        assert "Hash Algorithm: sha256" in text
        assert "Certificate required: yes" in text
        assert f"Nonce: 0x{nonce:X}" in text.replace("0x0", "0x") or nonce == 0


def test_a_reply_says_what_was_stamped_and_when(reply: bytes, authority: Path, tmp_path: Path) -> None:
    timestamp = answers(reply, DATA, 7)
    assert abs(timestamp.at - datetime.now(UTC)) < timedelta(minutes=10)
    (tmp_path / "reply").write_bytes(reply)
    (tmp_path / "data").write_bytes(DATA)
    words = ["ts", "-verify", "-in", "reply", "-data", "data", "-CAfile", str(authority / "ca.crt")]
    assert b"OK" in subprocess.run(["openssl", *words], cwd=tmp_path, capture_output=True, check=True).stdout


def test_a_reply_of_other_bytes_or_to_another_request_is_refused(reply: bytes, authority: Path) -> None:
    for data, nonce in ((b"other", 7), (DATA, 8)):
        with pytest.raises(TimestampInvalid):
            answers(reply, data, nonce)
    with pytest.raises(TimestampInvalid, match="refused"):
        parse_reply(reply_to(authority, request(DATA, 7).replace(b"\x03\x04\x02\x01", b"\x03\x04\x02\x03")))


@given(st.binary(max_size=300), st.integers(0, 5000), st.integers(0, 255))
def test_junk_is_refused_with_one_error(reply: bytes, junk: bytes, at: int, byte: int) -> None:
    spoiled = bytearray(reply)
    spoiled[at % len(reply)] = byte
    for data in (junk, reply[: at % len(reply)], bytes(spoiled)):
        try:
            parse_reply(data)
        except TimestampInvalid:
            continue


async def test_the_next_authority_is_asked_when_one_fails(authority: Path) -> None:
    async def junk(_asked: web.Request) -> web.Response:
        return web.Response(body=b"junk")

    app = web.Application()
    app.add_routes([web.post("/", junk)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        async with served(authority) as good, aiohttp.ClientSession() as session:
            asked = Authorities(["http://127.0.0.1:9/", f"http://{host}:{port}/", good], session)
            assert (await asked.stamp(DATA)).authority == place_of(good)
            assert asked._urls[0] == good
            with pytest.raises(NoTimestamp):
                await Authorities(["http://127.0.0.1:9/", f"http://{host}:{port}/"], session).stamp(DATA)
    finally:
        await runner.cleanup()


async def test_a_reply_that_comes_in_pieces_is_read_to_its_end(authority: Path) -> None:
    async with served(authority, in_pieces=True) as slow, aiohttp.ClientSession() as session:
        assert (await Authorities([slow], session).stamp(DATA)).timestamp.at


async def test_nobody_reads_an_authoritys_password_in_records_or_logs(
    authority: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(authority) as good, aiohttp.ClientSession() as session:
        secret = [f"http://hospital:hush@{place}?key=hush" for place in ("127.0.0.1:9/", good.removeprefix("http://"))]
        stamped = await Authorities(secret, session).stamp(DATA)
    assert stamped.authority == place_of(good)
    assert caplog.records
    assert "hush" not in repr([vars(record) for record in caplog.records])
