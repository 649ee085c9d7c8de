"""One participant's way in: its addresses, its keys, its state (ICE-lite, DTLS, SRTP)."""
