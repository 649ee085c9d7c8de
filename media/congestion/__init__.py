"""How much a subscriber's path can carry: transport-wide feedback in, a bitrate out. Pure: times and counts come in.

`controller` joins the parts: `arrival` groups packets into bursts, `trendline` sees the queue grow before it is full, `rate`
climbs and backs off, `loss` tells radio loss from congestion, `probe` asks for more when the sender has no more to give.
Described from draft-ietf-rmcat-gcc-02 and from what later senders say of their loss models; constants carry their source.
"""
