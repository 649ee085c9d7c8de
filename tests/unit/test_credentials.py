"""turn.credentials: what a client is given, and what stands in it."""

from __future__ import annotations

import stat
from pathlib import Path

from config.settings import load
from turn.credentials import MOST_KEPT, NoRelay, SharedSecretRelay, ice_servers, password, shared_secret


def test_the_password_is_what_coturn_computes() -> None:
    # printf '1700000300:abc' | openssl dgst -sha1 -hmac north -binary | base64
    assert password("north", "1700000300:abc") == "Fbq56/fv51Tbc7WP7IY9o71l6Rw="


def test_a_credential_names_its_expiry_and_nobody() -> None:
    relay = SharedSecretRelay(("turn:a",), "s", now=lambda: 1000, pseudonym=lambda: "abc")
    assert relay.issue("visit-7", "patient") == (
        [{"urls": ["turn:a"], "username": "1300:abc", "credential": password("s", "1300:abc")}],
        300,
    )


def test_two_credentials_cannot_be_told_to_be_one_persons() -> None:
    relay = SharedSecretRelay(("turn:a",), "s", now=iter(range(0, 6000, 60)).__next__)
    names = {relay.issue("visit", "doctor")[0][0]["username"].split(":")[1] for _ in range(50)}
    assert len(names) == 50


def test_who_asks_again_and_again_gets_the_same_credential_for_a_minute() -> None:
    clock = [1000]
    relay = SharedSecretRelay(("turn:a",), "s", now=lambda: clock[0])
    first, ttl_s = relay.issue("visit", "doctor")
    assert ttl_s == 300
    clock[0] += 59
    assert relay.issue("visit", "doctor") == (first, 241)
    assert relay.issue("visit", "patient")[0] != first
    clock[0] += 1
    later, ttl_s = relay.issue("visit", "doctor")
    assert (later != first, ttl_s) == (True, 300)
    for number in range(MOST_KEPT):
        relay.issue(f"visit-{number}", "doctor")
    assert relay.issue("visit", "doctor")[0] != later  # forgotten: what is kept is bounded


def test_a_rehearsals_credential_lives_as_long_as_it() -> None:
    relay = SharedSecretRelay(("turn:a",), "s", now=lambda: 1000)
    [server], ttl_s = relay.issue("rehearsal-1", "rehearsal", 60)
    assert (server["username"].split(":")[0], ttl_s) == ("1060", 60)


def test_the_secret_does_not_print() -> None:
    assert "hush" not in repr(SharedSecretRelay((), "hush"))


def test_without_a_turn_server_the_list_is_empty(tmp_path: Path) -> None:
    assert ice_servers(load({"data": tmp_path}, environ={})) == NoRelay()
    assert NoRelay().issue("v", "s") == ([], 300)


def test_our_own_turnserver_is_offered_over_udp_and_tcp(tmp_path: Path) -> None:
    settings = load({"data": tmp_path, "turn": True, "media_addresses": ["2001:db8::1/fd00::5"]}, environ={})
    [server], _ = ice_servers(settings).issue("v", "s")
    assert server["urls"] == ["turn:[2001:db8::1]:3478?transport=udp", "turn:[2001:db8::1]:3478?transport=tcp"]
    assert stat.S_IMODE((tmp_path / "keys" / "turn.key").stat().st_mode) == 0o600


def test_over_tls_it_is_offered_under_the_name_that_the_certificate_has(tmp_path: Path) -> None:
    said = {"data": tmp_path, "turn": True, "media_addresses": ["192.0.2.1"], "turn_tls_port": 443}
    more = {"tls_cert": "/c", "tls_key": "/k", "public_url": "https://visits.example:8443/a"}
    [server], _ = ice_servers(load(said | more, environ={})).issue("v", "s")
    assert server["urls"][2] == "turns:visits.example:443?transport=tcp"
    [server], _ = ice_servers(load(said | more | {"turn_tls_name": "turn.example"}, environ={})).issue("v", "s")
    assert server["urls"][2] == "turns:turn.example:443?transport=tcp"


def test_a_turn_server_elsewhere_brings_its_own_secret(tmp_path: Path) -> None:
    secret = tmp_path / "shared"
    secret.write_text("from elsewhere\n")
    settings = load({"data": tmp_path, "turn_url": "turn:t.example", "turn_secret_file": secret}, environ={})
    assert shared_secret(settings) == "from elsewhere"
    assert ice_servers(settings).issue("v", "s")[0][0]["urls"] == ["turn:t.example"]
