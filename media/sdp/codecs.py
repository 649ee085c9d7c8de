"""Which offered codecs this server forwards, and which of a subscriber's payload types fits a track."""

from __future__ import annotations

from dataclasses import dataclass

from media.sdp.offer import Codec, Section

KEPT_FEEDBACK = {"audio": ("nack",), "video": ("nack", "nack pli", "ccm fir", "goog-remb")}
OPUS_FMTP = "minptime=10;useinbandfec=1"  # RFC 7587 §6.1: what we wish to receive; stereo is the sender's choice


@dataclass(frozen=True, slots=True)
class Chosen:
    """A codec that is answered: under `name`, with the RTX payload type beside it and the feedback kept."""

    codec: Codec
    name: str
    rtx: int | None = None
    feedback: tuple[str, ...] = ()

    @property
    def fmtp(self) -> str:
        """The parameters of the answer: ours for Opus, the offer's for video (RFC 6184 §8.2.2: the profile is echoed)."""
        return OPUS_FMTP if self.name == "opus" else self.codec.fmtp


def supported(section: Section) -> list[Chosen]:
    """The codecs of an m-line that we forward, in the offer's order."""
    named = [(codec, name) for codec in section.codecs if (name := _name(section.kind, codec)) is not None]
    repairs = _repairs(section)
    return [Chosen(c, name, repairs.get(str(c.payload_type)), _feedback(section, c)) for c, name in named]


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


def _feedback(section: Section, codec: Codec) -> tuple[str, ...]:
    return tuple(kind for kind in KEPT_FEEDBACK[section.kind] if kind in codec.feedback)
