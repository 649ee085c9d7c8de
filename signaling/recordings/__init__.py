"""Recordings from the API's side: the recorder's audit door, derived copies, exports by two people."""
