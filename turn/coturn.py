"""coturn as our relay: its configuration, and the process.

TURN-3  It relays to the addresses our media is announced under and to nothing else, whoever asks. A loopback address
        is a peer only where nothing but loopback is announced: coturn cannot limit ports, and loopback has others.
TURN-4  No CLI, no web page, no TCP relay, no multicast, no DTLS, no TLS without a certificate, quotas on everything; it
        listens on announced addresses only.
TURN-5  Its log names the addresses of patients, so it is written to the private run folder, and only for debugging.
TURN-6  It ends with the process that started it, however that one ends (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import NoReturn

from config.addresses import Announced, announced_addresses
from config.parent import end_with_parent
from config.settings import Settings
from turn.credentials import shared_secret

RELAY_PORTS = (49160, 49999)
ALLOCATIONS = 400
"""In all: a little under the number of relay ports."""
ALLOCATIONS_A_CREDENTIAL = 10


class TurnserverMissing(Exception):
    """`turnserver` is not installed."""

    code = "turnserver_missing"


@dataclass(frozen=True, slots=True)
class Tls:
    """TURN over TLS: its port, and the files of the certificate chain and its key."""

    port: int
    certificate: Path
    key: Path


def executable() -> str:
    """Path of turnserver. Raises `TurnserverMissing`."""
    found = shutil.which("turnserver")
    if found is None:
        raise TurnserverMissing("turnserver is not installed: `apt install coturn`, or start without --turn")
    return found


def peers(announced: list[str]) -> list[Announced]:
    """The announced addresses that may be relayed to (TURN-3)."""
    known = [Announced.parse(text) for text in announced]
    return [one for one in known if not ip_address(one.bound).is_loopback] or known


def configuration(
    *,
    secret: str,
    announced: list[str],
    port: int,
    run: Path,
    relay_ports: tuple[int, int] = RELAY_PORTS,
    tls: Tls | None = None,
    debug: bool = False,
) -> str:
    """The text of turnserver.conf. `announced`: addresses of media, at least one."""
    allowed = peers(announced)
    lines = [
        *(f"listening-ip={one.bound}" for one in allowed),
        *(f"relay-ip={one.bound}" for one in allowed),
        # coturn translates both ways, and judges a peer by the address behind the NAT.
        *(f"external-ip={one.ip}/{one.bound}" for one in allowed if one.ip != one.bound),
        f"listening-port={port}",
        f"min-port={relay_ports[0]}",
        f"max-port={relay_ports[1]}",
        "realm=teleconsult",
        "fingerprint",
        "use-auth-secret",
        f"static-auth-secret={secret}",
        "stale-nonce=600",
        f"user-quota={ALLOCATIONS_A_CREDENTIAL}",
        f"total-quota={ALLOCATIONS}",
        "no-cli",
        "no-multicast-peers",
        "no-tcp-relay",
        "no-software-attribute",
        "no-dynamic-ip-list",
        # TURN-3: everything is denied, then our own are excepted.
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        *(f"allowed-peer-ip={one.bound}" for one in allowed),
        f"pidfile={run / 'turnserver.pid'}",
        f"userdb={run / 'turnserver.db'}",
        "simple-log",
        "no-stdout-log",
        f"log-file={run / 'turnserver.log' if debug else '/dev/null'}",  # TURN-5
    ]
    if any(ip_address(one.bound).is_loopback for one in allowed):
        lines.append("allow-loopback-peers")
    lines.append("no-dtls")  # UDP that is let through needs no TLS: media is encrypted by itself
    if tls is None:
        lines.append("no-tls")
    else:
        lines += [f"tls-listening-port={tls.port}", f"cert={tls.certificate}", f"pkey={tls.key}"]
        lines += ["no-tlsv1", "no-tlsv1_1"]
    return "\n".join(lines) + "\n"


def configured(settings: Settings) -> Path:
    """Write turnserver.conf (0600: it holds the secret) into the run folder. Needs `settings.run`."""
    assert settings.run is not None
    text = configuration(
        secret=shared_secret(settings),
        announced=announced_addresses(settings.media_addresses),
        port=settings.turn_port,
        run=settings.run,
        tls=_tls(settings),
        debug=settings.log_level == "debug",
    )
    path = settings.run / "turnserver.conf"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def _tls(settings: Settings) -> Tls | None:
    if not settings.turn_tls_port or settings.tls_cert is None or settings.tls_key is None:
        return None
    return Tls(settings.turn_tls_port, settings.tls_cert, settings.tls_key)


def run(settings: Settings) -> NoReturn:
    """Become turnserver: this process is replaced by it. Raises `TurnserverMissing`, `OSError`."""
    program = executable()
    conf = configured(settings)
    end_with_parent()
    os.execv(program, [program, "-c", str(conf)])  # noqa: S606
