"""Reading an offer: text → `Offer`. RFC 8866 syntax, as far as an answerer needs it.

SdpError
├── SdpInvalid      sdp_invalid       it is not an offer, or contradicts itself or its envelope
└── SdpUnsupported  sdp_unsupported   it is one, and asks for what this server does not speak
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from media.plane import IceCredentials

MAX_OFFER_BYTES = 48 << 10
MAX_SECTIONS = 64
MAX_CODECS = 64
MAX_SSRCS = 64
MAX_RIDS = 8

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

_MID = re.compile(r"[!-~]{1,32}")
_ICE = re.compile(r"[A-Za-z0-9+/]+")  # RFC 8839 §5.4: ice-char
_RID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_DIGITS = re.compile(r"[0-9]{1,10}")
_HASH_BYTES = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}
_TRUSTED_HASHES = ("sha-256", "sha-384", "sha-512")


class SdpError(Exception):
    """An offer that gets no answer. The message names the rule, never what the offer holds."""

    code = "sdp_error"


class SdpInvalid(SdpError):
    """Malformed, beyond a bound, or at odds with `publish` and `subscribe`."""

    code = "sdp_invalid"


class SdpUnsupported(SdpError):
    """Well-formed, but asks for something this server does not do."""

    code = "sdp_unsupported"


@dataclass(slots=True)
class Codec:
    """One payload type of an m-line. `feedback` holds rtcp-fb values, as offered."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int
    fmtp: str = ""
    feedback: list[str] = field(default_factory=list)

    def parameters(self) -> dict[str, str]:
        """The fmtp as names and values, names in lower case; a bare word has the value ''."""
        pairs = (part.partition("=") for part in self.fmtp.split(";"))
        return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


@dataclass(slots=True)
class Section:
    """One m-line with its attributes; what may stand at session level is already inherited."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    mid: str = ""
    direction: Direction = "sendrecv"
    codecs: list[Codec] = field(default_factory=list)
    extensions: dict[str, int] = field(default_factory=dict)
    ssrcs: list[int] = field(default_factory=list)
    groups: list[tuple[str, list[int]]] = field(default_factory=list)
    rids: set[str] = field(default_factory=set)
    """Of `a=rid:… send` (RFC 8851)."""
    simulcast: tuple[str, ...] = ()
    """The streams the offerer would send, the first choice of each, in its order (RFC 8853)."""
    rtcp_mux: bool = False
    rtcp_rsize: bool = False
    bundle_only: bool = False
    ufrag: str | None = None
    pwd: str | None = None
    setup: str | None = None
    fingerprints: list[tuple[str, str]] = field(default_factory=list)

    @property
    def rejected(self) -> bool:
        """Port 0 says so, unless the m-line is only waiting for its bundle (RFC 9143 §6)."""
        return self.port == 0 and not self.bundle_only


@dataclass(frozen=True, slots=True)
class Offer:
    """A whole offer. `remote` and `fingerprints` are those of the bundle's transport."""

    sections: tuple[Section, ...]
    bundle: tuple[str, ...]
    remote: IceCredentials
    fingerprints: tuple[tuple[str, str], ...]


def parse(text: str) -> Offer:
    """Read an offer. Raises `SdpError`, and nothing else whatever the text is."""
    if len(text) > MAX_OFFER_BYTES or len(text.encode("utf-8", "replace")) > MAX_OFFER_BYTES:  # SDP-1
        raise SdpInvalid("the offer is too large")
    lines = _lines(text)
    if next(lines, None) != ("v", "0"):
        raise SdpInvalid("an offer begins with v=0")
    bundle: tuple[str, ...] = ()
    session = Section("session", 0, "", [])
    sections: list[Section] = []
    current = session
    for kind, value in lines:
        if kind == "m":
            current = _section(value, session)
            sections.append(current)
            if len(sections) > MAX_SECTIONS:  # SDP-1
                raise SdpInvalid("too many m-lines")
        elif kind == "a" and current is session and value.startswith("group:BUNDLE"):
            bundle = bundle or tuple(value.split()[1:])
        elif kind == "a":
            _attribute(current, value)
    for section in sections:
        _settle(section, session)
    return _whole(sections, bundle)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line:
            continue
        if len(line) < 2 or line[1] != "=" or not line.isprintable():
            raise SdpInvalid("a line is not <letter>=<value>")
        yield line[0], line[2:]


def _section(value: str, session: Section) -> Section:
    words = value.split()
    if len(words) < 4:
        raise SdpInvalid("an m-line is cut short")
    kind, port, protocol, *formats = words
    if len(formats) > MAX_CODECS:  # SDP-1
        raise SdpInvalid("too many codecs in an m-line")
    section = Section(kind, _number(port.partition("/")[0], 65535), protocol, formats, direction=session.direction)
    if kind in ("audio", "video") and "RTP" in protocol:
        section.codecs = [Codec(_number(word, 127), "", 0, 1) for word in formats]
        if len({codec.payload_type for codec in section.codecs}) != len(formats):
            raise SdpInvalid("a payload type stands twice in an m-line")
    return section


def _attribute(section: Section, line: str) -> None:
    name, _, value = line.partition(":")
    match name:
        case "sendrecv" | "sendonly" | "recvonly" | "inactive":
            section.direction = name
        case "mid":
            if not _MID.fullmatch(value):
                raise SdpInvalid("a mid is malformed")
            section.mid = value
        case "rtpmap":
            _rtpmap(section, value)
        case "fmtp":
            if (found := _codec(section, value)) is not None:
                found[0].fmtp = found[1].strip()
        case "rtcp-fb":
            _feedback(section, value)
        case "extmap":
            number, _, uri = value.partition(" ")
            section.extensions.setdefault(uri.split(" ")[0], _number(number.partition("/")[0], 65535))
        case "ssrc":
            _ssrc(section, _number(value.split(" ")[0], 0xFFFFFFFF))
        case "ssrc-group":
            semantics, *members = value.split() or [""]
            section.groups.append((semantics, [_number(word, 0xFFFFFFFF) for word in members]))
            if len(section.groups) > MAX_SSRCS or len(members) > MAX_SSRCS:
                raise SdpInvalid("too many SSRC groups")
        case "rid":
            _rid(section, value)
        case "simulcast":
            named = _simulcast(value)
            section.simulcast = section.simulcast or named
        case "rtcp-mux" | "rtcp-mux-only":
            section.rtcp_mux = True
        case "rtcp-rsize":
            section.rtcp_rsize = True
        case "bundle-only":
            section.bundle_only = True
        case "ice-ufrag":
            section.ufrag = _ice(value, 4)
        case "ice-pwd":
            section.pwd = _ice(value, 22)
        case "setup":
            section.setup = value
        case "fingerprint":
            section.fingerprints.append(_fingerprint(value))
        case _:
            pass  # RFC 8866 §5.13: an attribute that is not understood is ignored


def _rtpmap(section: Section, value: str) -> None:
    found = _codec(section, value)
    if found is None:
        return
    codec, encoding = found
    parts = encoding.strip().split("/")
    if len(parts) not in (2, 3):
        raise SdpInvalid("an rtpmap is malformed")
    codec.name, codec.clock_rate = parts[0], _number(parts[1], 0xFFFFFFFF)
    codec.channels = _number(parts[2], 255) if len(parts) == 3 else 1


def _feedback(section: Section, value: str) -> None:
    target, _, kind = value.partition(" ")
    found = None if target == "*" else _codec(section, value)
    codecs = section.codecs if target == "*" else [found[0]] if found else []
    for codec in codecs:
        if len(codec.feedback) < MAX_CODECS:
            codec.feedback.append(kind.strip())


def _codec(section: Section, value: str) -> tuple[Codec, str] | None:
    """The codec that an attribute's first word names, and the rest. None where the m-line is not RTP or lacks it."""
    word, _, rest = value.partition(" ")
    if section.kind not in ("audio", "video"):
        return None
    payload_type = _number(word, 127)
    return next(((codec, rest) for codec in section.codecs if codec.payload_type == payload_type), None)


def _ssrc(section: Section, ssrc: int) -> None:
    if ssrc not in section.ssrcs:
        section.ssrcs.append(ssrc)
    if len(section.ssrcs) > MAX_SSRCS:
        raise SdpInvalid("too many SSRCs in an m-line")


def _rid(section: Section, value: str) -> None:
    words = value.split()
    if len(words) < 2 or not _RID.fullmatch(words[0]):
        raise SdpInvalid("a rid is malformed")
    if words[1] == "send":
        section.rids.add(words[0])
    if len(section.rids) > MAX_RIDS:
        raise SdpInvalid("too many rids in an m-line")


def _simulcast(value: str) -> tuple[str, ...]:
    """RFC 8853 §5.1: `send a,b;~c recv …`; a comma parts alternatives, a tilde marks a stream that begins paused."""
    words = value.split()
    streams = words[words.index("send") + 1] if "send" in words[:-1] else ""
    named = tuple(stream.split(",")[0].removeprefix("~") for stream in streams.split(";") if stream)
    if len(named) > MAX_RIDS or len(set(named)) != len(named) or not all(map(_RID.fullmatch, named)):
        raise SdpInvalid("a simulcast attribute is malformed")
    return named


def _ice(value: str, least: int) -> str:
    if not (least <= len(value) <= 256 and _ICE.fullmatch(value)):
        raise SdpInvalid("ICE credentials are malformed")
    return value


def _fingerprint(value: str) -> tuple[str, str]:
    name, _, digest = value.partition(" ")
    name, digest = name.lower(), digest.strip()
    pairs = digest.split(":")
    if any(re.fullmatch(r"[0-9A-Fa-f]{2}", pair) is None for pair in pairs):
        raise SdpInvalid("a fingerprint is malformed")
    if len(pairs) != _HASH_BYTES.get(name, len(pairs)):
        raise SdpInvalid("a fingerprint is not as long as its hash")
    return name, "".join(pairs).lower()


def _number(word: str, limit: int) -> int:
    if not _DIGITS.fullmatch(word) or (number := int(word)) > limit:
        raise SdpInvalid("a number is malformed or out of range")
    return number


def _settle(section: Section, session: Section) -> None:
    """Session-level attributes are defaults (RFC 8839 §5.4, RFC 8122 §5, RFC 4145 §4)."""
    if section.ufrag is None and section.pwd is None:
        section.ufrag, section.pwd = session.ufrag, session.pwd
    section.setup = section.setup or session.setup
    section.fingerprints = section.fingerprints or session.fingerprints
    for uri, number in session.extensions.items():
        section.extensions.setdefault(uri, number)


def _whole(sections: list[Section], bundle: tuple[str, ...]) -> Offer:
    mids = [section.mid for section in sections if section.mid]
    if len(set(mids)) != len(mids) or len(set(bundle)) != len(bundle):
        raise SdpInvalid("a mid stands twice")
    if not set(bundle) <= set(mids):
        raise SdpInvalid("the bundle names a mid that is not there")
    if not sections:
        raise SdpInvalid("the offer has no m-line")
    carrier = _carrier(sections, bundle)
    if carrier is None or carrier.ufrag is None or carrier.pwd is None:
        raise SdpInvalid("the offer has no ICE credentials")
    if not carrier.fingerprints:
        raise SdpInvalid("the offer has no fingerprint")
    fingerprints = tuple(pair for pair in carrier.fingerprints if pair[0] in _TRUSTED_HASHES)
    if not fingerprints:
        raise SdpUnsupported("no fingerprint is of SHA-256 or better")
    if carrier.setup not in ("actpass", "active"):  # RFC 8842 §5: we are always the DTLS server
        raise SdpUnsupported("the offer must let this side be passive")
    return Offer(tuple(sections), bundle, IceCredentials(carrier.ufrag, carrier.pwd), fingerprints)


def _carrier(sections: list[Section], bundle: tuple[str, ...]) -> Section | None:
    """The m-line whose transport attributes count: the first of the bundle that has any (RFC 9143 §7.1.3)."""
    by_mid = {section.mid: section for section in sections}
    order = [by_mid[mid] for mid in bundle] if bundle else sections
    live = [section for section in order if not section.rejected and section.ufrag is not None]
    return live[0] if live else next((section for section in order if section.ufrag is not None), None)
