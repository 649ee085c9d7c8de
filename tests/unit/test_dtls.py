"""The DTLS server side without a network."""

from __future__ import annotations

import pytest

from media.transports.dtls import MTU, DtlsEndpoint
from tests.contract.dtls_client import DtlsClient, server_certificate


def test_both_sides_derive_the_same_keys() -> None:
    client = DtlsClient()
    endpoint = client.endpoint()
    client.shake(endpoint)
    keys = endpoint.keys
    assert keys is not None
    material = client.connection.export_keying_material(b"EXTRACTOR-dtls_srtp", 56)
    assert keys.inbound == material[:16] + material[32:44]
    assert keys.outbound == material[16:32] + material[44:]


@pytest.mark.parametrize(
    ("offered", "chosen", "size"),
    [
        (b"SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", b"SRTP_AEAD_AES_128_GCM", 28),
        (b"SRTP_AES128_CM_SHA1_80", b"SRTP_AES128_CM_SHA1_80", 30),
    ],
)
def test_gcm_is_preferred_whatever_the_peers_order(offered: bytes, chosen: bytes, size: int) -> None:
    client = DtlsClient(offered)
    endpoint = client.endpoint()
    client.shake(endpoint)
    assert endpoint.keys is not None
    assert (endpoint.keys.profile, len(endpoint.keys.inbound)) == (chosen, size)


def test_a_peer_without_a_profile_of_ours_is_refused() -> None:
    client = DtlsClient(b"SRTP_AES128_CM_SHA1_32")
    endpoint = client.endpoint()
    client.shake(endpoint)
    assert (endpoint.state, endpoint.keys) == ("refused", None)


@pytest.mark.parametrize("name", ["sha-256", "sha-384", "sha-512"])
def test_each_strong_hash_identifies_the_peer(name: str) -> None:
    client = DtlsClient()
    endpoint = DtlsEndpoint(server_certificate(), [client.print_of(name)])
    client.shake(endpoint)
    assert endpoint.state == "connected"


@pytest.mark.parametrize("allowed", [[], [("sha-256", "00" * 32)], [("sha-1", "00" * 20)]])
def test_an_unknown_certificate_is_refused(allowed: list[tuple[str, str]]) -> None:
    client = DtlsClient()
    endpoint = DtlsEndpoint(server_certificate(), allowed)
    client.shake(endpoint)
    assert (endpoint.state, endpoint.keys) == ("refused", None)
    endpoint.close()
    assert endpoint.state == "refused"


def test_a_flight_fits_the_datagrams_we_promise() -> None:
    client = DtlsClient()
    endpoint = client.endpoint()
    heard: list[bytes] = []
    for _ in range(4):
        for datagram in client.step(heard):
            endpoint.receive(datagram)
        heard = endpoint.drain()
        assert all(len(datagram) <= MTU for datagram in heard)


def test_a_client_hello_after_the_handshake_is_not_heard() -> None:
    client = DtlsClient()
    endpoint = client.endpoint()
    client.shake(endpoint)
    for datagram in DtlsClient().step([]):
        endpoint.receive(datagram)
    assert endpoint.drain() == []
    assert endpoint.state == "connected"


def test_closing_says_so_and_is_idempotent() -> None:
    client = DtlsClient()
    endpoint = client.endpoint()
    client.shake(endpoint)
    endpoint.close()
    endpoint.close()
    assert len(endpoint.drain()) == 1
    assert endpoint.state == "closed"


def test_a_lost_flight_is_sent_again_when_its_time_has_come() -> None:
    client = DtlsClient()
    endpoint = client.endpoint()
    assert endpoint.timeout() is None
    for _ in range(2):
        for datagram in client.step([]):
            endpoint.receive(datagram)
    if endpoint.drain():
        wait = endpoint.timeout()
        assert wait is not None
        assert 0 < wait <= 1.0
    endpoint.handle_timeout()
    assert endpoint.state == "new"


def test_a_lost_last_flight_is_sent_again_when_the_peer_repeats_its_own() -> None:
    client = DtlsClient()
    endpoint = client.endpoint()
    heard: list[bytes] = []
    flights: list[list[bytes]] = []
    while endpoint.state == "new":
        said = client.step(heard)
        flights.append(said)
        for datagram in said:
            endpoint.receive(datagram)
        heard = endpoint.drain()
    lost = heard
    for datagram in flights[-1]:
        endpoint.receive(datagram)
    assert endpoint.drain() == lost
    client.step(lost)
    assert client.connection.get_cipher_name() is not None
    for _ in range(100):
        endpoint.receive(flights[-1][0])
        endpoint.drain()
    endpoint.receive(flights[-1][0])
    assert endpoint.drain() == [], "within reason"


def test_a_repeated_hello_gets_the_first_flight_again_and_another_begins_anew() -> None:
    client = DtlsClient()
    endpoint = client.endpoint()
    hello = client.step([])
    for datagram in hello:
        endpoint.receive(datagram)
    first = endpoint.drain()
    for datagram in hello:
        endpoint.receive(datagram)
    assert endpoint.drain() == first
    assert endpoint.restarts == 0
