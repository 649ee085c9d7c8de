"""The addresses this machine really has, and those that clients reach it at."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Announced:
    """Where clients reach us, and what we bind: they differ behind a 1:1 NAT."""

    ip: str
    bound: str

    @classmethod
    def parse(cls, text: str) -> Announced:
        """`announced` or `announced/bound`, IP literals. Raises `ValueError`, also for the wildcard as bound address."""
        ip, _, bound = text.partition("/")
        here = ip_address(bound or ip)
        if here.is_unspecified:
            raise ValueError(f"{text}: bind an address of this machine, not the wildcard")
        return cls(str(ip_address(ip)), str(here))


def own_addresses() -> list[str]:
    """Every address of every interface, IPv4 first, loopback last; no link-local ones, which need a zone to be reached."""
    found: set[Address] = set()
    for adapter in ifaddr.get_adapters():
        for given in adapter.ips:
            found.add(ip_address(given.ip if isinstance(given.ip, str) else given.ip[0]))
    usable = [address for address in found if not address.is_link_local and not address.is_unspecified]
    return [str(address) for address in sorted(usable, key=lambda a: (a.is_loopback, a.version, int(a)))]


def announced_addresses(configured: tuple[str, ...]) -> list[str]:
    """What media is announced under, for `Announced.parse`: what was configured, else all of the machine's own."""
    return list(configured) or own_addresses()


def lan_address() -> str | None:
    """The address by which a phone in the same network would reach this machine, IPv4 if there is one."""
    return next((text for text in own_addresses() if not ip_address(text).is_loopback), None)


def is_own(address: str) -> bool:
    """Whether a socket of ours could be bound to this address."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def address_towards(there: str) -> str | None:
    """The own address that packets to this one would leave from; None if there is no route. Nothing is sent."""
    with socket.socket(socket.AF_INET6 if ":" in there else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((there, 9))
        except OSError:
            return None
        found: str = probe.getsockname()[0]
        return found
