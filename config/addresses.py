"""The addresses this machine really has."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

Address = IPv4Address | IPv6Address


def own_addresses() -> list[str]:
    """Every address of every interface, IPv4 first, loopback last; no link-local ones, which need a zone to be reached."""
    found: set[Address] = set()
    for adapter in ifaddr.get_adapters():
        for given in adapter.ips:
            found.add(ip_address(given.ip if isinstance(given.ip, str) else given.ip[0]))
    usable = [address for address in found if not address.is_link_local and not address.is_unspecified]
    return [str(address) for address in sorted(usable, key=lambda a: (a.is_loopback, a.version, int(a)))]


def announced_addresses(configured: tuple[str, ...]) -> list[str]:
    """What media is announced under: what was configured, else all of the machine's own."""
    return list(configured) or own_addresses()


def lan_address() -> str | None:
    """The address by which a phone in the same network would reach this machine, IPv4 if there is one."""
    return next((text for text in own_addresses() if not ip_address(text).is_loopback), None)
