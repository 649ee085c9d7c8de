"""`teleconsult serve`: the embedded whole. Checks what could be in the way, starts every part, says where things are.

SERVE-1  What stands in the way (a busy port, a folder that cannot be written, a second instance on the same data, a
         missing turnserver) is found before anything starts and said in one line, with what to do about it (`InTheWay`).
SERVE-2  Signaling is stopped first and closes the live recordings while worker and recorder still live; then the rest.
         Together at most 2.7 s.
SERVE-3  The run folder is private, short (a Unix socket's path holds 107 bytes) and gone afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from config.addresses import Announced, address_towards, announced_addresses, is_own, lan_address, own_addresses
from config.secrets import SecretError, secret_text
from config.settings import MEDIA_PORT, PREFIX, Settings, to_environment
from config.supervise import Part, Stage, supervise
from teleconsult_demo import Here
from turn import coturn

STAGES = (Stage(0, within_s=1.9), Stage(1, within_s=0.8))
EXAMPLE_PORT = 8081
MEDIA_PORTS_TRIED = 100


class InTheWay(Exception):
    """Something that must be put right first; the message says what and how."""

    code = "in_the_way"


@dataclass(frozen=True, slots=True)
class Serving:
    """What there is to tell once everything is ready."""

    settings: Settings
    api_key_file: Path
    recordings: str
    limits: str


def serve(settings: Settings, program: Path, on_ready: Callable[[Serving], None], sample_his: bool = False) -> None:
    """Run until Ctrl-C or SIGTERM. `program` is the command's own file; `sample_his` fills an empty slot with the sample of a
    hospital's own page. Raises `InTheWay`, `SupervisionError`."""
    with _data_folder(settings.data), _run_folder() as run:
        _check_addresses(settings)
        settings = _resolved(settings, run)
        sample_his = sample_his and settings.slot_url is None
        if sample_his:
            settings = msgspec.structs.replace(settings, slot_url=_sample_url(settings))
        _check_ports(settings)
        _check_certificate(settings)
        limits = _check_store(settings)
        serving = Serving(settings, settings.keys / "api.key", _recordings(settings), limits)
        _make_keys(settings)
        parts = _parts(settings, program, sample_his)
        asyncio.run(_until_told(parts, lambda: asyncio.to_thread(on_ready, serving)))


async def _until_told(parts: list[Part], ready: Callable[[], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await supervise(parts, ready, stop, STAGES)


def _parts(settings: Settings, program: Path, sample_his: bool) -> list[Part]:
    # -c or -m would put the current folder before ours on the path; a script's own folder is always right.
    def command(*words: str) -> tuple[str, ...]:
        return (sys.executable, str(program), *words)

    environment = {**to_environment(settings), "TELECONSULT_SUPERVISED": "1", PREFIX + "CONFIG": ""}
    workers = [
        Part(f"media-{i}", command("media", "--index", str(i)), settings.socket(f"media-{i}").is_socket, environment, 1)
        for i in range(settings.media_workers)
    ]
    recorder = Part("recorder", command("recorder"), settings.socket("recorder").is_socket, environment, 1)
    signaling = Part("signaling", command("signaling"), _is_ready(settings), environment, 0)
    parts = [signaling, recorder, *workers]
    if settings.turn:
        address = (coturn.peers(announced_addresses(settings.media_addresses))[0].bound, settings.turn_port)
        parts.append(Part("turn", command("turn"), lambda: _connects(address), environment, 1, quiet=True))
    if sample_his:
        port = urlsplit(settings.slot_url or "").port or 0
        there = ("127.0.0.1" if settings.everywhere else settings.host, port)
        parts.append(Part("sample-his", command("sample-his"), lambda: _connects(there), environment, 1))
    return parts


def _sample_url(settings: Settings) -> str:
    """Another port is another origin, and that is all the sample needs."""
    ours = urlsplit(settings.base_url)
    host = f"[{ours.hostname}]" if ":" in (ours.hostname or "") else ours.hostname
    return f"{ours.scheme}://{host}:{_any_free_port(settings.host)}/rx"


def _is_ready(settings: Settings) -> Callable[[], bool]:
    """Whether signaling answers and finds its database, workers and recorder."""
    here = Here(settings)

    def ready() -> bool:
        try:
            with here.open("/readyz", within_s=2):  # refused at once until it listens
                return True
        except OSError:
            return False

    return ready


def _connects(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=0.2).close()
    except OSError:
        return False
    return True


# ---- what could be in the way


@contextlib.contextmanager
def _data_folder(data: Path) -> Iterator[None]:
    """The folder exists, can be written, and is ours alone while we run."""
    made = _missing(data)
    try:
        data.mkdir(parents=True, exist_ok=True)
        handle = os.open(data / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InTheWay(f"cannot write to {data} ({error.strerror}); name another folder with --data") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise InTheWay(f"another teleconsult runs on {data}; stop it, or name another folder with --data") from None
    try:
        yield
    except InTheWay:
        _take_away(data, made)
        raise
    finally:
        os.close(handle)


def _missing(folder: Path) -> list[Path]:
    """The folders on the way to this one that are not there, the innermost first."""
    return [path for path in (folder, *folder.parents) if not path.exists()]


def _take_away(data: Path, made: list[Path]) -> None:
    """Nothing was started, so nothing stays of a folder that was not there before, if nobody put anything into it."""
    if not made:
        return
    (data / "serve.lock").unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        for folder in made:
            folder.rmdir()


@contextlib.contextmanager
def _run_folder() -> Iterator[Path]:
    parent = tempfile.gettempdir()
    run = Path(tempfile.mkdtemp(prefix="teleconsult-", dir=parent if len(parent) <= 60 else "/tmp"))  # noqa: S108
    try:
        yield run
    finally:
        shutil.rmtree(run, ignore_errors=True)


def _check_addresses(settings: Settings) -> None:
    """What clients reach may be a router's; what we bind may not."""
    for known in map(Announced.parse, settings.media_addresses):
        if not is_own(known.bound):
            here = address_towards(known.ip)
            both = f"; behind a 1:1 NAT name both: {known.ip}/{here}" if here and here != known.bound else ""
            raise InTheWay(f"media_addresses: {known.bound} is no address of this machine{both}")


def _check_ports(settings: Settings) -> None:
    if not _free(socket.SOCK_STREAM, settings.host, settings.port):
        instead = EXAMPLE_PORT if settings.port != EXAMPLE_PORT else EXAMPLE_PORT + 1
        raise InTheWay(f"port {settings.port} is in use; stop what uses it, or choose another: --port {instead}")
    if settings.media_port and (busy := _busy_media_port(settings)) is not None:
        raise InTheWay(
            f"media port {busy} (UDP or TCP) is in use; stop what uses it, or choose another for media: "
            f"{PREFIX}MEDIA_PORT={settings.media_port + 100}"
        )
    if settings.turn:
        for host in (peer.bound for peer in coturn.peers(announced_addresses(settings.media_addresses))):
            if not _free(socket.SOCK_DGRAM, host, settings.turn_port):
                raise InTheWay(
                    f"UDP port {settings.turn_port} is in use, perhaps by another TURN server; stop it, or choose another: "
                    f"{PREFIX}TURN_PORT={settings.turn_port + 1}"
                )
            if settings.turn_tls_port and not _free(socket.SOCK_STREAM, host, settings.turn_tls_port):
                raise InTheWay(
                    f"TCP port {settings.turn_tls_port} is in use on {host}: TURN over TLS needs it; stop what uses it or "
                    f"choose another: {PREFIX}TURN_TLS_PORT=5349"
                )


def _check_certificate(settings: Settings) -> None:
    """Of our own making it is good; of others' it may be out of reach, or half of a pair."""
    if settings.tls != "files":
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert settings.tls_cert is not None
    for name, file in (("tls_cert", settings.tls_cert), ("tls_key", settings.tls_key)):
        try:
            (file or settings.tls_cert).read_bytes()
        except OSError as error:
            raise InTheWay(
                f"{name}: cannot read {file} ({error.strerror}); the account that runs this must be able to"
            ) from None
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except ssl.SSLError:
        raise InTheWay(
            f"tls_cert and tls_key are no PEM files that belong together: {settings.tls_cert}, {settings.tls_key}"
        ) from None


def _busy_media_port(settings: Settings) -> int | None:
    """The first of the workers' ports that is taken on any announced address."""
    hosts = [Announced.parse(text).bound for text in announced_addresses(settings.media_addresses)]
    ports = [settings.media_port_of(index) for index in range(settings.media_workers)]
    kinds = (socket.SOCK_DGRAM, socket.SOCK_STREAM) if settings.media_tcp else (socket.SOCK_DGRAM,)
    return next(
        (port for port in ports if not all(_free(kind, host, port) for kind in kinds for host in hosts)),
        None,
    )


def _free(kind: socket.SocketKind, host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise InTheWay(
                f"port {port} is for root, or for who has CAP_NET_BIND_SERVICE (AmbientCapabilities of a systemd unit); "
                "choose one above 1023, or put a proxy before it"
            ) from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            if kind == socket.SOCK_STREAM:
                raise InTheWay(f"cannot listen on {host} ({error.strerror}); name an address of this machine") from None
    return True


def _check_store(settings: Settings) -> str:
    """A store that is asked for locks holds them; says what it cannot prevent. One that is away is no reason not to start."""
    from recorder.store.named import StoreRefused, StoreUnavailable, open_store, prove_store

    try:
        limits = open_store(settings).limits
        if settings.store_lock:
            asyncio.run(prove_store(settings))
    except StoreUnavailable:  # the spool waits for it, and nothing goes there before it has proven itself
        return limits
    except StoreRefused as error:
        raise InTheWay(f"recordings cannot go to {settings.store}: {error}") from None
    return limits


def _make_keys(settings: Settings) -> None:
    """The API key is there when we say where it is. What else cannot be used is found here too, before anything starts."""
    try:
        secret_text(settings.keys / "api.key")
        if settings.turn:
            coturn.executable()
    except SecretError as error:
        raise InTheWay(str(error)) from None
    except coturn.TurnserverMissing as error:
        raise InTheWay(str(error)) from None
    except OSError as error:
        raise InTheWay(f"cannot write to {settings.keys} ({error.strerror}); name another folder with --data") from None


# ---- what is settled at start


def _resolved(settings: Settings, run: Path) -> Settings:
    """The settings with everything settled that children must agree on."""
    settings = msgspec.structs.replace(settings, data=settings.data.absolute(), run=run)
    if settings.port == 0:
        settings = msgspec.structs.replace(settings, port=_any_free_port(settings.host))
    if settings.media_port is None:
        settings = msgspec.structs.replace(settings, media_port=_free_media_port(settings))
    if settings.tls == "self-signed":
        from config.certificate import self_signed  # 70 ms of imports that every other start spares

        certificate, key = self_signed(settings.keys, own_addresses())
        settings = msgspec.structs.replace(settings, tls_cert=certificate, tls_key=key)
    if settings.everywhere and settings.public_url is None and (lan := lan_address()) is not None:
        settings = msgspec.structs.replace(settings, public_url=settings.url_at(lan))
    return settings


def _any_free_port(host: str) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _free_media_port(settings: Settings) -> int:
    """7900, or the next run of ports that is free: nobody asked for a port, so a busy one is no reason not to start."""
    for first in range(MEDIA_PORT, MEDIA_PORT + MEDIA_PORTS_TRIED * settings.media_workers, settings.media_workers):
        if _busy_media_port(msgspec.structs.replace(settings, media_port=first)) is None:
            return first
    return MEDIA_PORT


def _recordings(settings: Settings) -> str:
    return str(settings.store_folder) if settings.store == "folder" else settings.store
