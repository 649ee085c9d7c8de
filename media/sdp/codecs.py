"""Which offered codecs this server forwards, and which of a subscriber's payload types fits a track."""

from __future__ import annotations

from dataclasses import dataclass

from media.sdp.offer import Codec, Section

NUMBER_EXTENSION = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
KEPT_FEEDBACK = {
    "audio": ("nack", "transport-cc"),
    "video": ("nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"),
}
ONE_BYTE_IDS = range(1, 15)  # RFC 8285 §4.2
OPUS_FMTP = "minptime=10;useinbandfec=1"  # RFC 7587 §6.1: what we wish to receive; stereo is the sender's choice


@dataclass(frozen=True, slots=True)
class Chosen:
    """A codec that is answered: under `name`, with the RTX payload type beside it and the feedback kept."""

    codec: Codec
    name: str
    rtx: int | None = None
    feedback: tuple[str, ...] = ()
    red: int | None = None

    @property
    def fmtp(self) -> str:
        """The parameters of the answer: ours for Opus, the offer's for video (RFC 6184 §8.2.2: the profile is echoed)."""
        return OPUS_FMTP if self.name == "opus" else self.codec.fmtp


def supported(section: Section) -> list[Chosen]:
    """The codecs of an m-line that we forward, in the offer's order."""
    named = [(codec, name) for codec in section.codecs if (name := _name(section.kind, codec)) is not None]
    repairs, red = _repairs(section), _redundancies(section)
    return [
        Chosen(c, name, repairs.get(str(c.payload_type)), _feedback(section, c, name, red), red.get(c.payload_type))
        for c, name in named
    ]


def first_supported(section: Section) -> Chosen | None:
    """SDP-4, for a publisher."""
    return next(iter(supported(section)), None)


def matching(section: Section, name: str, fmtp: str) -> Chosen | None:
    """SDP-4, for a subscriber: the same codec, of the very same profile if it is there."""
    fits = [chosen for chosen in supported(section) if chosen.name == name]
    wanted = _profile(fmtp)
    return next((chosen for chosen in fits if _profile(chosen.codec.fmtp) == wanted), fits[0] if fits else None)


def _name(kind: str, codec: Codec) -> str | None:
    match kind, codec.name.lower(), codec.clock_rate:
        case "audio", "opus", 48000:
            return "opus" if codec.channels == 2 else None  # RFC 7587 §7
        case "video", "vp8", 90000:
            return "VP8"
        case "video", "h264", 90000:
            return "H264" if _is_baseline(codec) else None
        case "video", "vp9", 90000:
            return "VP9" if codec.parameters().get("profile-id", "0") == "0" else None  # RFC 9628 §7.2
        case _:
            return None


def _is_baseline(codec: Codec) -> bool:
    """Baseline or constrained baseline, non-interleaved; RFC 6184 §8.1: mode 0 and profile 42000a when unsaid."""
    parameters = codec.parameters()
    profile = parameters.get("profile-level-id", "42000a")
    return parameters.get("packetization-mode", "0") == "1" and len(profile) == 6 and profile.startswith("42")


def _profile(fmtp: str) -> str:
    """Profile and constraints without the level: `42e0`."""
    return Codec(0, "", 0, 1, fmtp).parameters().get("profile-level-id", "")[:4].lower()


def _repairs(section: Section) -> dict[str, int]:
    """RFC 4588 §8.1: payload type repaired, as text → RTX payload type; the first where two claim one."""
    rtx = [(codec.parameters().get("apt", ""), codec) for codec in section.codecs if codec.name.lower() == "rtx"]
    return {apt: codec.payload_type for apt, codec in reversed(rtx)}


def _redundancies(section: Section) -> dict[int, int]:
    """RFC 2198 §5: payload type of the one codec in every block → payload type of RED."""
    red = [c for c in section.codecs if section.kind == "audio" and (c.name.lower(), c.channels) == ("red", 2)]
    blocks = {codec.payload_type: codec.fmtp.split("/") for codec in red}
    return {int(of[0]): number for number, of in blocks.items() if of[0].isdecimal() and len(set(of)) == 1}


def _feedback(section: Section, codec: Codec, name: str, red: dict[int, int]) -> tuple[str, ...]:
    """What the offer names and we do. Transport-cc makes REMB needless: the sender's own estimate is the better one."""
    kept = [kind for kind in KEPT_FEEDBACK[section.kind] if kind in codec.feedback]
    if number_extension(section) is None and "transport-cc" in kept:
        kept.remove("transport-cc")
    if "transport-cc" in kept and "goog-remb" in kept:
        kept.remove("goog-remb")
    if name == "opus" and codec.payload_type in red and "nack" not in kept:
        # Chromium answers and sends NACK for Opus as soon as the answer has it, though its offer never does; the offer
        # of RED is how it is known.
        kept.insert(0, "nack")
    return tuple(kept)


def number_extension(section: Section) -> int | None:
    """The header extension of the transport-wide sequence number, if it is offered."""
    number = section.extensions.get(NUMBER_EXTENSION)
    return number if number in ONE_BYTE_IDS else None
