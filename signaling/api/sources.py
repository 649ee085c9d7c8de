"""Whom a caller is counted as, where attempts are counted by where they come from.

SOURCE-1  It is the address of the connection. `X-Forwarded-For` is the client's word, and believed only from a proxy that the
          setting `proxies` names: its last entry that is no such proxy is the caller. Without the setting everybody behind a
          proxy is one caller, and one who guesses uses up what all may try.
SOURCE-2  Of IPv6 the first 64 bits count: a household has them all (RFC 6177), and would have attempts without end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import web

Network = IPv4Network | IPv6Network

PROXIES = web.AppKey("proxies", tuple)
HOPS_MOST = 16


def networks(named: Iterable[str]) -> tuple[Network, ...]:
    """As the setting `proxies` names them: addresses, or networks such as `10.1.0.0/16`. Raises `ValueError`."""
    return tuple(ip_network(each) for each in named)


def source_of(request: web.Request) -> str:
    """Whom this request is counted as; empty if nobody can tell."""
    proxies: tuple[Network, ...] = request.app.get(PROXIES, ())
    source = ""
    for hop in _hops(request):
        try:
            address = ip_address(hop)
        except ValueError:
            break
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        source = str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
        if not any(address in each for each in proxies):
            break
    return source


def _hops(request: web.Request) -> Iterator[str]:
    """From the connection towards the client."""
    yield request.remote or ""
    said = ",".join(request.headers.getall("X-Forwarded-For", []))
    for hop in reversed(said.split(",")[-HOPS_MOST:]):
        yield hop.strip()
