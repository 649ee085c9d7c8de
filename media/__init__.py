"""The media worker: one UDP port, ICE-lite, DTLS-SRTP, selective forwarding.

Its doors are `control` and `tap`. What is in which folder: `media/decisions/0027`.
"""
