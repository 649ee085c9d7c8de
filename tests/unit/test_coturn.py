"""turn.coturn: the generated configuration."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from config.settings import SettingsError, load
from turn.coturn import Tls, configuration, configured, peers

RUN = Path("/run/x")


def conf(*announced: str, tls: Tls | None = None, debug: bool = False) -> list[str]:
    text = configuration(secret="s", announced=list(announced), port=3478, run=RUN, tls=tls, debug=debug)
    return text.splitlines()


def test_everything_is_denied_but_the_announced_addresses() -> None:
    lines = conf("192.0.2.1", "2001:db8::1")
    assert [line for line in lines if "-peer-ip" in line] == [
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "allowed-peer-ip=192.0.2.1",
        "allowed-peer-ip=2001:db8::1",
    ]


def test_loopback_is_a_peer_only_where_there_is_nothing_else() -> None:
    assert [one.ip for one in peers(["192.0.2.1", "127.0.0.1", "::1"])] == ["192.0.2.1"]
    assert [one.ip for one in peers(["127.0.0.1"])] == ["127.0.0.1"]
    assert "allow-loopback-peers" not in conf("192.0.2.1", "127.0.0.1")
    assert "allow-loopback-peers" in conf("127.0.0.1")


def test_it_listens_on_announced_addresses_only() -> None:
    assert [line for line in conf("192.0.2.1") if line.startswith("listening-ip")] == ["listening-ip=192.0.2.1"]


def test_behind_a_nat_it_binds_what_the_machine_has_and_names_what_clients_reach() -> None:
    lines = conf("203.0.113.10/172.16.0.5")
    assert {"listening-ip=172.16.0.5", "relay-ip=172.16.0.5", "external-ip=203.0.113.10/172.16.0.5"} <= set(lines)
    assert [line for line in lines if line.startswith("allowed-peer-ip")] == ["allowed-peer-ip=172.16.0.5"]
    assert not any(line.startswith("external-ip") for line in conf("192.0.2.1"))


def test_what_we_do_not_use_is_off() -> None:
    assert {"no-cli", "no-multicast-peers", "no-tcp-relay", "no-tls", "no-dtls", "no-stdout-log"} <= set(
        conf("192.0.2.1")
    )


def test_tls_needs_a_certificate() -> None:
    lines = conf("192.0.2.1", tls=Tls(443, Path("/c.pem"), Path("/k.pem")))
    assert {"tls-listening-port=443", "cert=/c.pem", "pkey=/k.pem", "no-tlsv1", "no-tlsv1_1", "no-dtls"} <= set(lines)
    assert "no-tls" not in lines


def test_the_settings_name_port_and_certificate(tmp_path: Path) -> None:
    said = {"data": tmp_path, "run": tmp_path, "turn_tls_port": 5349, "tls_cert": "/c.pem", "tls_key": "/k.pem"}
    assert "tls-listening-port=5349" in configured(load(said, environ={})).read_text()
    with pytest.raises(SettingsError, match="turn_tls_port needs tls_cert and tls_key"):
        load({"turn_tls_port": 443}, environ={})


def test_addresses_of_patients_are_logged_nowhere_but_when_debugging() -> None:
    assert "log-file=/dev/null" in conf("192.0.2.1")
    assert "log-file=/run/x/turnserver.log" in conf("192.0.2.1", debug=True)


def test_the_file_with_the_secret_is_private(tmp_path: Path) -> None:
    path = configured(load({"data": tmp_path, "run": tmp_path, "turn": True}, environ={}))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"static-auth-secret={(tmp_path / 'keys' / 'turn.key').read_text().strip()}" in path.read_text()
