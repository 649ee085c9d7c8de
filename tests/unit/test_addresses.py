"""config.addresses: what this machine has, and what it announces."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from config.addresses import Announced, address_towards, announced_addresses, is_own, lan_address, own_addresses


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


def test_an_address_may_be_announced_under_another_name() -> None:
    assert Announced.parse("203.0.113.9/10.0.0.5") == Announced("203.0.113.9", "10.0.0.5")
    assert Announced.parse("::1") == Announced("::1", "::1")


@pytest.mark.parametrize("text", ["0.0.0.0", "203.0.113.9/0.0.0.0", "::", "localhost", ""])
def test_the_wildcard_and_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Announced.parse(text)


def test_what_this_machine_has_can_be_bound_and_nothing_else() -> None:
    assert all(is_own(text) for text in own_addresses())
    assert not is_own("203.0.113.9")


def test_the_address_towards_another_is_one_of_ours() -> None:
    assert address_towards("127.0.0.5") == "127.0.0.1"
    found = address_towards("203.0.113.9")
    assert found is None or found in own_addresses()
