"""The real turnserver under our configuration and our credentials."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from config.addresses import own_addresses
from config.settings import Settings, load, to_environment
from tests.network.turn_client import TurnClient, TurnRefused
from tests.patience import PATIENCE_S
from tests.system import free_port, running
from turn.credentials import SharedSecretRelay, shared_secret

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        shutil.which("turnserver", path="/usr/bin:/usr/sbin") is None, reason="turnserver is not installed"
    ),
]

LAN = next((text for text in own_addresses() if ":" not in text), "8.8.8.8")
"""This machine's first IPv4 address, which is not announced in these tests."""
RUN = "from config.settings import load; from turn import coturn; coturn.run(load())"


@dataclass
class Turnserver:
    address: tuple[str, int]
    secret: str
    process: subprocess.Popen[bytes]

    def client(self, lifetime_s: int = 300, secret: str | None = None) -> TurnClient:
        relay = SharedSecretRelay(("turn:unused",), secret or self.secret, lifetime_s=lifetime_s)
        [server], _ = relay.issue("visit", "patient")
        return TurnClient(self.address, server["username"], server["credential"])


@pytest.fixture(scope="module")
def turnserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turnserver]:
    data, run = tmp_path_factory.mktemp("turn"), tmp_path_factory.mktemp("run")
    settings = load(
        {"data": data, "run": run, "turn": True, "turn_port": free_port(), "media_addresses": ["127.0.0.1"]}, environ={}
    )
    with started(settings) as server:
        yield server


@contextlib.contextmanager
def started(settings: Settings) -> Iterator[Turnserver]:
    """turnserver under these settings, which bind 127.0.0.1."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN],
        env=os.environ | to_environment(settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = ("127.0.0.1", settings.turn_port)
    try:
        until(lambda: answers(address))
        yield Turnserver(address, shared_secret(settings), process)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.fixture
def media() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.settimeout(PATIENCE_S)
        bound.bind(("127.0.0.1", 0))
        yield bound


def test_it_relays_both_ways_to_the_address_our_media_is_announced_under(
    turnserver: Turnserver, media: socket.socket
) -> None:
    with turnserver.client() as client:
        relayed = client.allocate()
        client.permit(media.getsockname())
        client.send(media.getsockname(), b"up")
        assert media.recvfrom(100) == (b"up", relayed)
        media.sendto(b"down", relayed)
        assert client.receive() == (media.getsockname(), b"down")


def test_behind_a_nat_it_relays_to_our_media_under_the_address_that_clients_know(
    tmp_path: Path, media: socket.socket
) -> None:
    said = {"data": tmp_path, "run": tmp_path, "turn_port": free_port(), "media_addresses": ["203.0.113.9/127.0.0.1"]}
    with started(load(said, environ={})) as server, server.client() as client:
        relayed = client.allocate()
        assert relayed[0] == "203.0.113.9"
        known = ("203.0.113.9", media.getsockname()[1])
        client.permit(known)
        client.send(known, b"up")
        assert media.recvfrom(100) == (b"up", ("127.0.0.1", relayed[1]))
        media.sendto(b"down", ("127.0.0.1", relayed[1]))
        assert client.receive() == (known, b"down")
        for elsewhere in ("203.0.113.10", "127.0.0.2", LAN):
            with pytest.raises(TurnRefused, match="403"):
                client.permit((elsewhere, 7900))


def test_a_credential_signed_with_another_secret_is_refused(turnserver: Turnserver) -> None:
    with turnserver.client(secret="guessed") as client, pytest.raises(TurnRefused, match="401"):
        client.allocate()


def test_an_expired_credential_is_refused(turnserver: Turnserver) -> None:
    with turnserver.client(lifetime_s=-1) as client, pytest.raises(TurnRefused, match="401"):
        client.allocate()


@pytest.mark.parametrize("elsewhere", ["192.0.2.77", "10.0.0.1", "169.254.169.254", "127.0.0.2", LAN])
def test_it_relays_to_no_other_address(turnserver: Turnserver, elsewhere: str) -> None:
    with turnserver.client() as client:
        client.allocate()
        with pytest.raises(TurnRefused, match="403"):
            client.permit((elsewhere, 7900))


def test_an_allocation_outlives_the_credential_it_was_made_with(turnserver: Turnserver, media: socket.socket) -> None:
    """turn/decisions/0001: what makes a short lifetime harmless to a long visit."""
    with turnserver.client(lifetime_s=2) as client:
        client.allocate()
        until(lambda: expired(turnserver, client))
        assert client.refresh(600) == 600
        client.permit(media.getsockname())
        client.send(media.getsockname(), b"still here")
        assert media.recv(100) == b"still here"


def test_a_renewed_credential_cannot_take_over_an_allocation(turnserver: Turnserver) -> None:
    with turnserver.client() as client, turnserver.client() as other:
        client.allocate()
        client.use(other._username, other._password)
        with pytest.raises(TurnRefused, match="441"):
            client.refresh()


def test_one_credential_holds_a_bounded_number_of_allocations(turnserver: Turnserver) -> None:
    with turnserver.client() as first:
        same = [TurnClient(turnserver.address, first._username, first._password) for _ in range(11)]
        try:
            for client in same[:10]:
                client.allocate()
            with pytest.raises(TurnRefused, match="486"):
                same[10].allocate()
        finally:
            for client in same:
                client.socket.close()


def test_it_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    settings = load(
        {"data": tmp_path, "run": tmp_path, "turn_port": free_port(), "media_addresses": ["127.0.0.1"]}, environ={}
    )
    starter = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); "
        "print(child.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", starter, RUN],
        env=os.environ | to_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    until(lambda: answers(("127.0.0.1", settings.turn_port)))
    parent.send_signal(signal.SIGKILL)
    parent.wait(PATIENCE_S)
    parent.stdout.close()
    until(lambda: not alive(child))


def expired(turnserver: Turnserver, like: TurnClient) -> bool:
    """Whether a new allocation with the same credential is refused by now."""
    with TurnClient(turnserver.address, like._username, like._password) as another:
        try:
            another.allocate()
        except TurnRefused as refusal:
            return refusal.number == 401
        return False


def answers(address: tuple[str, int]) -> bool:
    with TurnClient(address, "", "") as client:
        client.socket.settimeout(0.2)
        try:
            client.allocate()
        except TurnRefused:
            return True
        except OSError:
            return False
    return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(true: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


async def test_serve_runs_it_and_brings_it_back_when_it_is_killed(tmp_path: Path) -> None:
    port, announced = free_port(), "127.0.0.1"
    environ = {"TELECONSULT_TURN_PORT": str(port), "TELECONSULT_MEDIA_ADDRESSES": announced}
    async with running(tmp_path, "--turn", **environ) as system:
        settings = load({"data": tmp_path}, environ={})
        [server], _ = SharedSecretRelay(("turn:unused",), shared_secret(settings)).issue("visit", "patient")
        with TurnClient((announced, port), server["username"], server["credential"]) as client:
            assert client.allocate()[0] == announced
        [relay] = [child for child in psutil.Process(system.process.pid).children() if child.name() == "turnserver"]
        relay.kill()
        await asyncio.to_thread(until, lambda: answers((announced, port)) and not relay.is_running())
    assert not answers((announced, port))
