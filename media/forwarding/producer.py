"""One published track: which SSRC it is, what arrived of it, and when to ask its publisher for a keyframe.

PROD-1  The SSRC is the one SDP names, or the one that carries the track's mid, or the only track's with that payload type.
        Another SSRC takes over when the one in use has been quiet for `QUIET_S`.
PROD-2  Keyframes are asked for at most every `PLI_EVERY_S`, and again until one has come: throttled, never forgotten.
"""

from __future__ import annotations

from media.forwarding.hold import Hold
from media.forwarding.layering import MEASURED_S, Layering
from media.forwarding.reception import Reception
from media.plane import ProducerSpec
from media.rtp import rtcp
from media.rtp.header import Bytes
from media.rtp.keyframe import begins_keyframe, lines_of
from media.rtp.vp9 import descriptor

QUIET_S = 0.5
PLI_EVERY_S = 0.5
RECORDED_LATE_S, SELDOM_S = 1.2, 8.0
"""The recorder reads what came about a second ago: what it asks for while a keyframe is that young is on its way to it.
Where keyframes stop the picture (`standstill`) it makes do with so many fewer."""
PLI_SELDOM_S = 2.0
"""After `_PATIENT` unanswered requests: a camera that is off answers none."""
_PATIENT = 10
NOTHING = bytes(256)
_HEEDED = {
    "VP8": bytes(first & 0x17 == 0x10 for first in range(256)),  # a frame's first packet: its size
    "H264": bytes(first & 0x17 == 0x10 for first in range(256)),  # STAP-A, where the parameter sets are
    "VP9": b"\1" * 256,
}
"""See `Producer.heeded`."""


class Producer:
    """See the module's rules. The plane owns one for each track, over moves from transport to transport."""

    __slots__ = (
        "_asked",
        "_hold",
        "_last_pli",
        "_measured_at",
        "bps",
        "codec",
        "heard",
        "heeded",
        "is_video",
        "keyframe_at",
        "layering",
        "lines",
        "octets",
        "payload_type",
        "reception",
        "report",
        "report_at",
        "spec",
        "ssrc",
        "wanting",
    )

    def __init__(self, spec: ProducerSpec, hold: Hold | None = None) -> None:
        """Nothing has been heard yet. `hold`: its track's."""
        self.spec = spec
        self._hold = Hold() if hold is None else hold
        self.is_video = spec.kind == "video"
        self.octets = 0
        """Bytes since they were last counted (`measure`)."""
        self.bps = 0.0
        """What it sends, smoothed over about a second; kept when it pauses."""
        self._measured_at = 0.0
        self.keyframe_at = float("-inf")
        """When the newest keyframe began to come."""
        self.lines = 0
        """The shorter side of the newest keyframe's picture; 0 where its codec does not tell."""
        self.wanting = False
        """A keyframe is wanted and has not come."""
        self._asked = 0
        self.forget()

    def forget(self) -> None:
        """The stream that was is over; another may begin."""
        self.ssrc: int | None = None
        self.payload_type = -1
        self.codec = ""
        self.heeded = NOTHING
        """Of each first byte of a payload, whether `begins` wants to see more of it even where nobody waits to begin."""
        self.layering: Layering | None = None
        """Of VP9: what layers the one stream has."""
        self.heard = float("-inf")
        self._last_pli = float("-inf")
        self.reception = Reception(self.spec.clock_rate, self.spec.nack, self._hold)
        self.report: rtcp.SenderReport | None = None
        self.report_at = 0.0

    def use(self, ssrc: int, now: float) -> bool:
        """Whether packets of `ssrc` may be this track's stream from now on (PROD-1)."""
        if self.ssrc is None or (ssrc != self.ssrc and now - self.heard >= QUIET_S):
            self.forget()
            self.ssrc = ssrc
        return ssrc == self.ssrc

    def restart(self) -> None:
        """Same SSRC, numbers that have jumped (RECV-2)."""
        ssrc, payload_type, codec, heard = self.ssrc, self.payload_type, self.codec, self.heard
        self.forget()
        self.ssrc, self.heard = ssrc, heard
        self.begin(payload_type, codec)

    def begin(self, payload_type: int, codec: str) -> None:
        """What its packets are is known."""
        self.payload_type, self.codec = payload_type, codec
        self.heeded = _HEEDED.get(codec, NOTHING)
        self.layering = Layering() if codec == "VP9" else None

    def want_keyframe(self) -> bool:
        """Note that somebody needs one; returns whether that is worth acting on."""
        if self.is_video and self.spec.pli and not self.wanting:
            self.wanting = True
            self._asked = 0
        return self.wanting

    def pli_due(self, now: float) -> bool:
        """Whether to send a PLI now (PROD-2); if so, it counts as sent."""
        if not self.wanting or self.ssrc is None:
            return False
        if now - self._last_pli < (PLI_EVERY_S if self._asked < _PATIENT else PLI_SELDOM_S):
            return False
        self._last_pli = now
        self._asked += 1
        return True

    def begins(self, packet: Bytes, at: int, end: int, now: float = 0.0) -> bool:
        """Whether a consumer may begin with this payload. Of VP9 each packet is to be shown here, once."""
        if not self.is_video:
            return True
        if self.layering is not None:
            about = descriptor(packet, at, end)
            if about is None:
                return False
            self.layering.hear(about, end - at, now)
            if not (about.key and about.begins):
                return False
            self.wanting = False
            self.lines = max(map(min, about.sizes)) if about.sizes else self.lines
            return True
        if begins_keyframe(self.codec, packet, at, end):
            self.wanting = False
            self.lines = lines_of(self.codec, packet, at, end) or self.lines
            return True
        return False

    def measure(self, now: float) -> None:
        """Count what came since the last time; a stream that pauses keeps its bitrate."""
        elapsed = now - self._measured_at
        octets, self.octets, self._measured_at = self.octets, 0, now
        if self.layering is not None:
            self.layering.measure(elapsed)
        if octets and 0 < elapsed < MEASURED_S:
            bps = octets * 8 / elapsed
            self.bps = bps if not self.bps else 0.7 * self.bps + 0.3 * bps

    def reported(self, report: rtcp.SenderReport, now: float) -> None:
        """The publisher's sender report."""
        self.report, self.report_at = report, now

    def block(self, now: float) -> rtcp.ReportBlock | None:
        """Our report to the publisher."""
        if self.ssrc is None or self.reception.highest < 0:
            return None
        if self.report is None:
            return self.reception.report(self.ssrc, 0, 0)
        lsr = self.report.ntp >> 16 & 0xFFFFFFFF
        return self.reception.report(self.ssrc, lsr, min(0xFFFFFFFF, int((now - self.report_at) * 65536)))
