"""The settings: one frozen value, read once at the front door and handed to every part.

SET-1  Precedence, weakest first: defaults, TOML file, `TELECONSULT_<NAME>`, what the command line said.
SET-2  A wrong value is refused by name (`SettingsError`) before anything starts; an unknown name in the file is too.
SET-3  No secret is a setting: settings name files that hold secrets (`config.secrets`), so they may be printed.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta, timezone, tzinfo
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from config.addresses import Announced

PREFIX = "TELECONSULT_"
MEDIA_PORT = 7900
PHONE = r"\+?[0-9][0-9 -]{1,23}"

_SLOT_URL = r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/%-]*)?"
_IMPLIED = {"http": ":80", "https": ":443"}

LogLevel = Literal["debug", "info", "warning", "error"]


class SettingsError(Exception):
    """A setting that cannot be used. The message names it and says what would do."""

    code = "settings_invalid"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that may differ between two deployments."""

    data: Path = Path("data")
    """Folder of the database, the keys and (with `store = "folder"`) the recordings."""
    run: Path | None = None
    """Folder of the Unix sockets between our processes; the front door makes a private one where it is None."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    """The address in links, where it is not `host` and `port`: behind a proxy, say."""
    origins: tuple[str, ...] = ()
    """Browser origins that may connect besides our own."""
    proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies in front, such as `127.0.0.1`: their `X-Forwarded-For` says who calls (SOURCE-1)."""

    media_port: int | None = None
    """UDP and TCP; worker i takes `media_port + i`, any free one with 0. None means 7900 or, under `serve`, the next free."""
    media_tcp: bool = True
    """Take media by TCP too (ICE-TCP on the same port number), where a network lets no UDP through."""
    media_addresses: tuple[str, ...] = ()
    """Announced to clients; empty means every address of this machine, loopback too. Behind a 1:1 NAT, as most clouds have
    it, the two addresses: `203.0.113.10/172.16.0.5`, what clients reach and what this machine has."""
    media_workers: int = 1
    camera_codec: Literal["VP8", "VP9"] = "VP8"
    """What pages send their cameras in: VP8 in several sizes, or VP9 in layers, where a browser and all who watch can."""

    store: str = "folder"
    """`folder` (DATA/store) or `s3://bucket/prefix`."""
    s3_endpoint: str | None = None
    store_lock: bool = False
    """Evidence mode: keep everything in S3 under Object Lock in COMPLIANCE mode. Nobody can delete it before its time."""
    jurisdiction: Literal["cn", "us", "other"] = "cn"
    """Whose minimum retention applies with `store_lock` (`recorder.store.retention`)."""
    keep_media_days: int | None = None
    keep_evidence_days: int | None = None
    """Longer than the minimum; None means the minimum. Once given to a store they can only grow."""

    encryption: Literal["off", "aes256gcm", "sm4gcm"] = "aes256gcm"
    """How recordings are sealed at rest (`recorder/decisions`)."""
    kms: str = "file"
    """Who keeps the keys: `file` (DATA/keys/kms) or `pkcs11:/path/to/module.so?token=LABEL`."""
    kms_pin_file: Path | None = None
    """The PIN of the PKCS#11 token; None means DATA/keys/kms.pin."""
    keyring: Path | None = None
    """Folder of the wrapped data keys; None means DATA/keyring."""
    escrow: str | None = None
    """An age recipient (`age1…`) whose identity lies offline: every data key is wrapped for it too."""

    spool_limit_mb: int | None = None
    """What the recorder's spool may hold, in MiB; None means the disk it lies on (`recorder.spool.disk`)."""
    when_disk_full: Literal["pause", "record"] = "pause"
    """At 95 %: keep no more media until there is room, or go on to the last byte."""

    database_url: str | None = None
    """SQLAlchemy's; None means SQLite in DATA."""

    tls: Literal["off", "self-signed", "files"] = "off"
    tls_cert: Path | None = None
    tls_key: Path | None = None

    clinic_name: str | None = None
    clinic_phone: str | None = None
    """Whom patients may phone; a visit may name others."""
    emergency_name: str | None = None
    emergency_phone: str | None = None
    """The hospital nearby that takes emergencies, shown beside 120."""

    turn: bool = False
    """Start and supervise a turnserver."""
    turn_url: str | None = None
    """A TURN server run elsewhere, such as `turn:turn.example.org:3478?transport=udp`."""
    turn_secret_file: Path | None = None
    """The secret shared with it; None means DATA/keys/turn.key."""
    turn_port: int = 3478
    turn_tls_port: int | None = None
    """TURN over TLS, under our own certificate, for networks that let only TLS through: 443 passes nearly everywhere."""
    turn_tls_name: str | None = None
    """The name in that certificate, which leads to a media address; None means the one in `public_url`."""

    witnesses: tuple[str, ...] = ()
    """Outside witnesses of the recorder's log, each as `URL KEY` (KEY: its verifier key), besides a local one of its own."""
    witness_quorum: int = 0
    """How many of them must have cosigned before the proof of a closed recording is written."""

    notices_url: str | None = None
    """Where notices to patients (SMS, WeChat, mail) are posted, signed under DATA/keys/notices.key; None means lines in
    DATA/notices.jsonl."""

    call_within_s: int = 300
    """What the next patient is promised: a call within this time, or within the estimate if that is longer."""
    escalate_after_s: int = 180
    """The doctor is reminded once that is past, and so much later the coordinator is told: the patient may be phoned, too."""

    remind_before_min: int = 60
    """How many minutes before an appointment the patient is reminded of it, once; 0 means never."""
    time_zone: str = "+08:00"
    """In which notices say a time: an offset, or a name such as `Asia/Shanghai` where the system knows names."""

    slot_url: str | None = None
    """The hospital's own prescribing page, shown in the doctor's workspace. Its origin must not be one of ours."""
    slot_key_file: Path | None = None
    """The key under which the hospital's server signs what it says of prescriptions; None means DATA/keys/slot.key."""
    slot_fhir_base: str | None = None
    """The base URL of the hospital's FHIR server, told to whoever redeems a one-time code."""

    timestamp_urls: tuple[str, ...] = ()
    """Time-stamp authorities (RFC 3161), asked in turn until one answers. Without any, verdicts say so."""
    timestamp_roots: Path | None = None
    """PEM file of the certificates whose authorities may answer; None means any that signs its answer."""
    anchors: tuple[str, ...] = ()
    """Evidence services elsewhere that are given hashes: `file:PATH` or `https://…` (`recorder.log.anchors`)."""
    oidc_issuer: str | None = None
    """The OpenID Connect issuer that signs staff in; None means the built-in one, with the accounts in DATA/staff.json."""
    oidc_client_id: str = "teleconsult"
    oidc_client_secret_file: Path | None = None
    """Where that issuer gave us one."""
    oidc_roles_claim: str = "roles"
    """The claim that holds `doctor`, `quality`, `auditor` or `administrator`; `realm_access.roles` goes into an object."""
    oidc_doctor_claim: str = "doctor_id"
    """The claim with a doctor's id, as visits name it."""

    log_level: LogLevel = "info"
    log_json: bool = False
    recorder_seat_salt_file: Path | None = None
    """Key of the pseudonyms in evidence; None means DATA/keys/pseudonym.key."""

    def __post_init__(self) -> None:
        """Refuse what could not work. Raises `ValueError`, which `load` turns into `SettingsError`."""
        for name in ("port", "media_port", "turn_port", "turn_tls_port"):
            if not 0 <= (getattr(self, name) or 0) <= 65535:
                raise ValueError(f"{name} must be 0 to 65535")
        if not 1 <= self.media_workers <= 64:
            raise ValueError("media_workers must be 1 to 64")
        for text in self.media_addresses:
            try:
                Announced.parse(text)
            except ValueError:
                raise ValueError(
                    "media_addresses must be IP addresses, or two of them: what clients reach, /, what this machine has"
                ) from None
        for text in self.proxies:
            try:
                ip_network(text)
            except ValueError:
                raise ValueError("proxies must be IP addresses, or networks such as 10.1.0.0/16") from None
        for place in ("clinic", "emergency"):
            name, phone = getattr(self, f"{place}_name"), getattr(self, f"{place}_phone")
            if (name is None) != (phone is None):
                raise ValueError(f"{place}_name and {place}_phone are given together")
            if phone is not None and re.fullmatch(PHONE, phone) is None:
                raise ValueError(f"{place}_phone must be digits, with spaces or dashes between, such as 0571-8877 6655")
        for name in ("call_within_s", "escalate_after_s"):
            if not 1 <= getattr(self, name) <= 86_400:
                raise ValueError(f"{name} must be 1 to 86400, a day")
        if not 0 <= self.remind_before_min <= 10_080:
            raise ValueError("remind_before_min must be 0 to 10080, a week")
        if self.zone is None:
            raise ValueError(
                "time_zone must be an offset such as +08:00, or a name that this system knows, such as Asia/Shanghai"
            )
        if not 0 <= self.witness_quorum <= len(self.witnesses):
            raise ValueError("witness_quorum must be 0 to the number of witnesses")
        if not all(url.startswith(("http://", "https://")) for url in self.timestamp_urls):
            raise ValueError("timestamp_urls must be http:// or https:// addresses")
        if not all(one.startswith(("file:", "http://", "https://")) for one in self.anchors):
            raise ValueError("anchors must be `file:PATH` or http:// or https:// addresses")
        if self.store != "folder" and not self.store.startswith("s3://"):
            raise ValueError('store must be "folder" or "s3://bucket/prefix"')
        if self.spool_limit_mb is not None and self.spool_limit_mb < 1:
            raise ValueError("spool_limit_mb must be 1 or more")
        if self.kms != "file" and not (self.kms.startswith("pkcs11:/") and "?token=" in self.kms):
            raise ValueError('kms must be "file" or "pkcs11:/path/to/module.so?token=LABEL"')
        if self.store_lock and self.store == "folder":
            raise ValueError('store_lock needs a store that has locks: store = "s3://bucket/prefix"')
        if self.tls == "files" and (self.tls_cert is None or self.tls_key is None):
            raise ValueError('tls = "files" needs tls_cert and tls_key')
        if self.turn_tls_port and self.tls != "self-signed" and (self.tls_cert is None or self.tls_key is None):
            raise ValueError("turn_tls_port needs tls_cert and tls_key")

        if self.slot_url is not None:
            if self.slot_origin is None:
                raise ValueError("slot_url must be http:// or https:// with a host, without user, query and fragment")
            # With our own origin the page would have our powers: the sandbox keeps its origin (PROTOCOL.md §11).
            if self.slot_origin in self.own_origins:
                raise ValueError("slot_url must be of another origin than our own pages")

    @property
    def zone(self) -> tzinfo | None:
        """`time_zone`; None if it is none."""
        found = re.fullmatch(r"([+-])(0\d|1[0-4]):([0-5]\d)", self.time_zone)
        if found is not None:
            offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
            return timezone(offset if found[1] == "+" else -offset)
        try:
            return ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            return None

    @property
    def slot_origin(self) -> str | None:
        """The one origin that the hospital's page may speak from, as a browser writes it (RFC 6454 §6.2)."""
        found = re.fullmatch(_SLOT_URL, self.slot_url or "")
        if found is None:
            return None
        scheme, host, port = found[1], found[2].lower(), found[3] or ""
        return f"{scheme}://{host}{'' if port == _IMPLIED[scheme] else port}"

    @property
    def own_origins(self) -> frozenset[str]:
        """What our pages are opened under, as far as settings tell."""
        urls = (
            self.base_url,
            self.url_at(self.host),
            self.url_at("127.0.0.1"),
            self.url_at("localhost"),
            *self.origins,
        )
        found = (re.match(_SLOT_URL, f"{url.rstrip('/')}/") for url in urls)
        return frozenset(
            f"{one[1]}://{one[2].lower()}{'' if one[3] == _IMPLIED[one[1]] else one[3] or ''}" for one in found if one
        )

    def media_port_of(self, index: int) -> int:
        """The UDP port of one worker; 0 is any free one."""
        first = MEDIA_PORT if self.media_port is None else self.media_port
        return first + index if first else 0

    @property
    def keys(self) -> Path:
        """Folder of the 0600 secret files."""
        return self.data / "keys"

    @property
    def database(self) -> str:
        """The database URL in use."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data.absolute() / 'teleconsult.db'}"

    @property
    def store_folder(self) -> Path:
        """Where recordings lie with `store = "folder"`."""
        return self.data / "store"

    @property
    def base_url(self) -> str:
        """What links begin with, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        return self.url_at("127.0.0.1" if self.everywhere else self.host)

    @property
    def everywhere(self) -> bool:
        """Whether `host` stands for every address of this machine."""
        return self.host in ("0.0.0.0", "::", "")  # noqa: S104

    def url_at(self, host: str) -> str:
        """Our base URL at this address of ours."""
        return f"{'http' if self.tls == 'off' else 'https'}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def socket(self, name: str) -> Path:
        """A Unix socket of the run folder: `media-0`, `recorder`, `tap`, `audit`. Needs `run`."""
        assert self.run is not None, "run is set by the front door"
        return self.run / f"{name}.sock"


def load(
    overrides: Mapping[str, Any] | None = None,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in force (SET-1). In `overrides`, None means "not said". Raises `SettingsError`."""
    environ = os.environ if environ is None else environ
    if file is None and (named := environ.get(PREFIX + "CONFIG")):
        file = Path(named)
    values: dict[str, Any] = {} if file is None else _from_file(file)
    values |= _from_environment(environ)
    values |= {name: value for name, value in (overrides or {}).items() if value is not None}
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsError(_plain(str(error))) from None


def to_environment(settings: Settings) -> dict[str, str]:
    """The `TELECONSULT_*` variables from which a child process reads the very same settings."""
    out: dict[str, str] = {}
    for name, value in msgspec.structs.asdict(settings).items():
        if value is None or value == ():
            continue
        out[PREFIX + name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value)
    return out


def _from_file(file: Path) -> dict[str, Any]:
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML: {error}") from None
    for name in said:
        if name not in Settings.__struct_fields__:
            raise SettingsError(f"{file} has an unknown setting `{name}`")
    return said


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name in Settings.__struct_fields__:
        said = environ.get(PREFIX + name.upper())
        if not said:
            continue
        listed = name in ("origins", "proxies", "media_addresses", "witnesses", "timestamp_urls", "anchors")
        out[name] = [part.strip() for part in said.split(",") if part.strip()] if listed else said
    return out


def _path(kind: type, value: object) -> Path:
    if kind is not Path or not isinstance(value, str | Path):
        raise ValueError("Expected a path")
    return Path(value).expanduser()


def _plain(message: str) -> str:
    """msgspec's words without its path syntax: ``Expected `int`, got `str` - at `$.port``` names port."""
    what, _, where = message.partition(" - at `$.")
    return f"{where.rstrip('`')}: {what}" if where else what
