"""PROTOCOL.md over Socket.IO: who may connect, what one socket says after another, and what comes of each event."""
