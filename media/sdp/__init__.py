"""The SDP answerer: a client's offer in, our answer and what the data plane must do out. Pure.

`offer` reads, `decide` chooses, `answer` writes.

SDP-1  An offer is at most 48 KiB, 64 m-lines and 64 codecs an m-line. Whatever else is wrong with it is an `SdpError`.
SDP-2  Every offered m-line is answered, in its place. One that cannot be spoken on is rejected (port 0); one that is
       named in neither `publish` nor `subscribe` is inactive (CTL-1).
SDP-3  Everything travels on one transport (RFC 9143): what is outside the bundle is rejected, or refused if it is named.
SDP-4  A publisher gets the first codec of its own order that we forward; a subscriber gets the track's codec under its
       own payload types, or `inactive` if it cannot decode it. Nothing is transcoded.
SDP-5  Header extensions are mid, the transport-wide number, the rids and playout-delay. Without video-orientation a sender
       turns the picture itself.
SDP-6  Simulcast is taken whole where the packets say which layer they are of; a subscriber gets one SSRC whatever layer
       is behind it. RED is taken and given for Opus. NACK for Opus is answered to who offers RED: its offer never names it.
SDP-7  Playout-delay is agreed for every picture, sent or received: a Chromium offers for a line that it adds later only what
       was agreed for the lines before.
"""

from media.sdp.decide import Decision, Forwarded, Local, Negotiation, decide
from media.sdp.offer import Offer, SdpError, SdpInvalid, SdpUnsupported, parse

__all__ = [
    "Decision",
    "Forwarded",
    "Local",
    "Negotiation",
    "Offer",
    "SdpError",
    "SdpInvalid",
    "SdpUnsupported",
    "decide",
    "parse",
]
