"""Where the laboratory happens: a patient, a doctor and a server, each in a network namespace of its own.

Media (198.18.0.0/16, RFC 2544) goes over a `wire` from each client to an exchange, a fourth namespace, which passes it on to
the server or to the other client; pages and signaling go over clean veth
pairs (198.19.0.0/16), so that a bad link does to media what it does and to nothing else. Policy rules keep either kind of
address off the other's devices: a browser that tried its clean address for media would be told "unreachable".

PLACE-1  Everything made here is gone at the end, whatever happened.
PLACE-2  The wires live in processes of their own: a busy test does not make the links worse.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.hosts import NoNamespaces
from tests.lab.link import Forecast, Weather

ROOT = Path(__file__).resolve().parents[2]
MEDIA_IP, EXCHANGE_IP = "198.18.0.1", "198.18.0.2"
MARK = "tclab"
"""What our namespaces' names begin with; the process's number follows."""
BASE = Weather(delay_s=0.04)
"""What a link is before anything is said: 80 ms there and back."""

Tallies = dict[str, Any]
"""`up` and `down`: what became of the packets; `series`: how it went (`wire`)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A leg's two directions, as seen by the client."""

    up: Forecast = field(default_factory=lambda: Forecast.steady(BASE))
    down: Forecast = field(default_factory=lambda: Forecast.steady(BASE))

    @classmethod
    def both(cls, forecast: Forecast | Weather) -> Plan:
        """The same each way (with luck of its own)."""
        told = forecast if isinstance(forecast, Forecast) else Forecast.steady(forecast)
        return cls(told, told)

    @classmethod
    def downlink(cls, weather: Weather) -> Plan:
        """Bad on the way to the client only."""
        return cls(down=Forecast.steady(weather))


CLEAN = Plan.both(Weather())


class Leg:
    """One client's namespace and the wire from it to the exchange."""

    def __init__(self, name: str, space: str, subnet: int, page_ip: str) -> None:
        self.name, self.space, self._subnet, self.page_ip = name, space, subnet, page_ip
        self.ip = f"198.18.{subnet}.2"

    @property
    def within(self) -> tuple[str, ...]:
        """Words that run a command here."""
        return ("ip", "netns", "exec", self.space)

    @contextlib.asynccontextmanager
    async def wired(self, exchange: str) -> AsyncIterator[None]:
        """Lay the wire. Raises `NoNamespaces`."""
        near, far = f"{self.space}0", f"{self.space}1"
        pipe = asyncio.subprocess.PIPE
        self._wire = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.lab.wire", near, far), stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT
        )
        assert self._wire.stdin is not None
        assert self._wire.stdout is not None
        assert self._wire.stderr is not None
        try:
            if (await self._wire.stdout.readline()).strip() != b"open":
                complaint = (await self._wire.stderr.read()).decode().strip().splitlines()
                raise NoNamespaces(f"/dev/net/tun: {complaint[-1] if complaint else 'no device'}")
            _ip("link", "set", near, "netns", self.space, "name", "radio")
            _ip("link", "set", far, "netns", exchange, "name", self.name)
            _ip("addr", "add", f"{self.ip}/24", "dev", "radio", space=self.space)
            _ip("link", "set", "radio", "up", space=self.space)
            self._route()
            _ip("link", "set", self.name, "up", space=exchange)
            _ip("route", "add", f"198.18.{self._subnet}.0/24", "dev", self.name, space=exchange)
            yield
        finally:
            self._wire.stdin.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await self._wire.wait()
            if self._wire.returncode is None:
                self._wire.kill()
                await self._wire.wait()

    async def turn(self, plan: Plan, seed: int) -> Tallies:
        """The leg's weather from now on; returns the tallies since the last time."""
        assert self._wire.stdin is not None
        assert self._wire.stdout is not None
        told = {"seed": seed, "up": _written(plan.up), "down": _written(plan.down)}
        self._wire.stdin.write(json.dumps(told).encode() + b"\n")
        async with asyncio.timeout(5):
            tallies: Tallies = json.loads(await self._wire.stdout.readline())
        return tallies

    def move(self) -> str:
        """The client's address changes, as from Wi-Fi to a phone's network: the old one is gone. Returns the new one."""
        last = int(self.ip.rpartition(".")[2])
        old, self.ip = self.ip, f"198.18.{self._subnet}.{last + 1}"
        _ip("addr", "del", f"{old}/24", "dev", "radio", space=self.space)
        _ip("addr", "add", f"{self.ip}/24", "dev", "radio", space=self.space)
        self._route()
        return self.ip

    def _route(self) -> None:
        # Everything else, too, would leave by the radio: a browser asks the system which of its addresses that is.
        for there in ("198.18.0.0/16", "default"):
            _ip("route", "replace", there, "dev", "radio", "src", self.ip, space=self.space)


@dataclass(frozen=True)
class Place:
    """The namespaces."""

    server: str
    exchange: str
    ip: str
    """The server's clean address: pages and signaling."""
    patient: Leg
    doctor: Leg

    @property
    def within(self) -> tuple[str, ...]:
        """Words that run a command beside the server."""
        return ("ip", "netns", "exec", self.server)

    async def turn(self, patient: Plan, doctor: Plan, seed: int) -> dict[str, Tallies]:
        """Both legs' weather from now on; returns what became of the packets until now."""
        return {
            "patient": await self.patient.turn(patient, seed),
            "doctor": await self.doctor.turn(doctor, seed + 1000),
        }


@contextlib.asynccontextmanager
async def place() -> AsyncIterator[Place]:
    """Build it, and take it down. Raises `NoNamespaces`, which says what this machine refused."""
    _sweep()
    mark = f"{MARK}{os.getpid()}"
    desk, page, patient, doctor = _clean_addresses(os.getpid())
    ends = (Leg("patient", f"{mark}p", 1, patient), Leg("doctor", f"{mark}d", 2, doctor))
    made = Place(f"{mark}s", f"{mark}x", page, *ends)
    with _spaces(made.server, made.exchange, made.patient.space, made.doctor.space):
        _ip("addr", "add", f"{made.ip}/32", "dev", "lo", space=made.server)
        _keep_apart(made.server)
        _exchange(made)
        with _desk(made, mark, desk):
            for leg in ends:
                _clean(made, leg)
            async with made.patient.wired(made.exchange), made.doctor.wired(made.exchange):
                await made.turn(Plan(), CLEAN, 0)
                yield made


def _clean_addresses(number: int) -> list[str]:
    """Four of 198.19.0.0/16, so that laboratories beside each other do not meet."""
    first = 4 * (number % (1 << 14))
    return [f"198.19.{(first + n) >> 8}.{(first + n) & 255}" for n in range(4)]


def _sweep() -> None:
    """PLACE-1, also for those who were killed: namespaces of processes that are no more."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False).stdout
    for name in (line.split()[0] for line in listed.splitlines() if line.startswith(MARK)):
        if not Path("/proc", name.removeprefix(MARK)[:-1]).exists():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _written(forecast: Forecast) -> list[Any]:
    return [[begins, asdict(weather)] for begins, weather in forecast.changes]


@contextlib.contextmanager
def _spaces(*names: str) -> Iterator[None]:
    try:
        for name in names:
            _ip("netns", "add", name)
            _ip("link", "set", "lo", "up", space=name)
            for kind in ("all", "default"):
                with contextlib.suppress(NoNamespaces):  # a kernel without IPv6 is as good
                    _run("sysctl", "-qw", f"net.ipv6.conf.{kind}.disable_ipv6=1", space=name)
        yield
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@contextlib.contextmanager
def _desk(made: Place, mark: str, ip: str) -> Iterator[None]:
    """The clean way from the test itself to the server."""
    device = f"{mark}r"
    _ip("link", "add", device, "type", "veth", "peer", "name", "desk", "netns", made.server)
    try:
        _ip("addr", "add", f"{ip}/32", "dev", device)
        _ip("link", "set", device, "up")
        _ip("route", "add", f"{made.ip}/32", "dev", device, "src", ip)
        _ip("link", "set", "desk", "up", space=made.server)
        _ip("route", "add", f"{ip}/32", "dev", "desk", space=made.server)
        yield
    finally:
        subprocess.run(["ip", "link", "del", device], capture_output=True, check=False)


def _exchange(made: Place) -> None:
    # A device with the address on it, and a neighbour behind it: Janus looks at no loopback and binds to the device.
    _ip("link", "add", "media", "netns", made.server, "type", "veth", "peer", "name", "server", "netns", made.exchange)
    for space, device, ip in ((made.server, "media", MEDIA_IP), (made.exchange, "server", EXCHANGE_IP)):
        _ip("addr", "add", f"{ip}/24", "dev", device, space=space)
        _ip("link", "set", device, "up", space=space)
    _ip("route", "add", "198.18.0.0/16", "via", EXCHANGE_IP, "dev", "media", space=made.server)
    _run("sysctl", "-qw", "net.ipv4.ip_forward=1", space=made.exchange)


def _clean(made: Place, leg: Leg) -> None:
    """The clean way from a client to the server, for anything but media."""
    space, far = leg.space, f"{leg.name}-page"
    _ip("link", "add", "clean", "netns", space, "type", "veth", "peer", "name", far, "netns", made.server)
    _ip("addr", "add", f"{leg.page_ip}/32", "dev", "clean", space=space)
    _ip("link", "set", "clean", "up", space=space)
    _ip("route", "add", f"{made.ip}/32", "dev", "clean", "src", leg.page_ip, space=space)
    _ip("link", "set", far, "up", space=made.server)
    _ip("route", "add", f"{leg.page_ip}/32", "dev", far, space=made.server)
    _keep_apart(space)


def _keep_apart(space: str) -> None:
    for here, there in (("198.18", "198.19"), ("198.19", "198.18")):
        _ip("rule", "add", "from", f"{here}.0.0/16", "to", f"{there}.0.0/16", "unreachable", space=space)


def _ip(*words: str, space: str | None = None) -> None:
    _run("ip", *words, space=space)


def _run(*words: str, space: str | None = None) -> None:
    command = [*(("ip", "netns", "exec", space) if space else ()), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoNamespaces(f"{' '.join(words)}: {done.stderr.strip()}")
