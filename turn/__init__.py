"""coturn: short-lived credentials, a hardened configuration, its supervision."""
