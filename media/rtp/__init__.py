"""RTP and RTCP by offsets: pure, bounds-checked, nothing kept."""
