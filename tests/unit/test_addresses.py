"""config.addresses: what this machine has, and what it announces."""

from __future__ import annotations

from ipaddress import ip_address

from config.addresses import announced_addresses, lan_address, own_addresses


def test_the_machines_own_addresses_end_with_loopback_and_leave_out_link_local_ones() -> None:
    own = [ip_address(text) for text in own_addresses()]
    assert ip_address("127.0.0.1") in own
    assert own == sorted(own, key=lambda address: (address.is_loopback, address.version, int(address)))
    assert not any(address.is_link_local for address in own)


def test_what_is_configured_is_announced_and_nothing_else() -> None:
    assert announced_addresses(("192.0.2.1",)) == ["192.0.2.1"]
    assert announced_addresses(()) == own_addresses()


def test_the_lan_address_is_never_loopback() -> None:
    found = lan_address()
    assert found is None or not ip_address(found).is_loopback
