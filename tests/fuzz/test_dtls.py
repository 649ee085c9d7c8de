"""Whatever of DTLS's first bytes comes in, before or after the handshake, the endpoint stands."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.dtls_client import DtlsClient


def _record(kind: int, epoch: int, body: bytes) -> bytes:
    return bytes((kind, 254, 253)) + epoch.to_bytes(2, "big") + bytes(6) + len(body).to_bytes(2, "big") + body


FIRST = st.integers(20, 63)
DATAGRAM = st.one_of(
    st.builds(_record, FIRST, st.sampled_from([0, 1, 2, 65535]), st.binary(max_size=80)),
    st.builds(lambda first, rest: bytes((first,)) + rest, FIRST, st.binary(max_size=80)),
)


@given(st.lists(DATAGRAM, max_size=8), st.lists(DATAGRAM, max_size=8))
@settings(max_examples=60, deadline=None)
def test_junk_neither_keeps_a_handshake_from_ending_nor_ends_what_stands(
    before: list[bytes], after: list[bytes]
) -> None:
    client = DtlsClient()
    endpoint = client.endpoint()
    for datagram in before:
        endpoint.receive(datagram)
        endpoint.drain()
    client.shake(endpoint)
    assert endpoint.state == "connected"
    for datagram in after:
        endpoint.receive(datagram)
        endpoint.drain()
    assert endpoint.state == "connected"
    client.connection.shutdown()
    for datagram in client.drain():
        endpoint.receive(datagram)
    assert endpoint.state == "closed"
