"""A publisher's packets on their way to segments: ordered, put together, muxed, cut, accounted for. Pure."""
