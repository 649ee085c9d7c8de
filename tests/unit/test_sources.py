"""Whom a caller is counted as."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from signaling.api.sources import PROXIES, networks, source_of


def asked(remote: str | None, *forwarded: str, proxies: tuple[str, ...] = ()) -> str:
    app = web.Application()
    app[PROXIES] = networks(proxies)
    transport = Mock()
    peer: Any = None if remote is None else (remote, 1)
    transport.get_extra_info = lambda name, default=None: peer if name == "peername" else default
    headers = [("X-Forwarded-For", each) for each in forwarded]
    return source_of(make_mocked_request("GET", "/", headers=headers, app=app, transport=transport))  # type: ignore[arg-type]


def test_a_header_counts_for_nothing_unless_a_proxy_of_ours_says_it() -> None:
    assert asked("203.0.113.9", "198.51.100.1") == "203.0.113.9"
    assert asked("127.0.0.1", "198.51.100.1") == "127.0.0.1"
    assert asked("203.0.113.9", "198.51.100.1", proxies=("127.0.0.1",)) == "203.0.113.9"
    assert asked("127.0.0.1", "198.51.100.1", proxies=("127.0.0.1",)) == "198.51.100.1"
    assert asked(None, "198.51.100.1") == ""


@pytest.mark.parametrize(
    "said",
    [
        ("10.9.9.9, 198.51.100.1",),  # what the client made up stands before what the proxy wrote
        ("10.9.9.9", "198.51.100.1"),
        ("127.0.0.1, 198.51.100.1, 10.1.2.3",),
        ("nonsense, 198.51.100.1",),
    ],
)
def test_the_last_who_is_no_proxy_is_the_caller(said: tuple[str, ...]) -> None:
    assert asked("127.0.0.1", *said, proxies=("127.0.0.1", "10.1.0.0/16")) == "198.51.100.1"


@pytest.mark.parametrize("said", ["", "nonsense", "198.51.100.1:80", "a" * 5000, "unknown"])
def test_what_is_no_address_is_the_proxys_own(said: str) -> None:
    assert asked("127.0.0.1", said, proxies=("127.0.0.1",)) == "127.0.0.1"


def test_a_household_of_ipv6_is_one_caller() -> None:
    assert asked("2001:db8:1:2:3::1") == asked("2001:db8:1:2:ffff::2") == "2001:db8:1:2::/64"
    assert asked("2001:db8:1:3::1") != asked("2001:db8:1:2::1")
    assert asked("::ffff:198.51.100.1") == "198.51.100.1"
