"""Visits while they run: one actor each, the doctors' desks, and the links to media workers and the recorder."""
