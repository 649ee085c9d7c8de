"""Who signs in, and what they may do with recordings: OpenID Connect, the built-in issuer, decisions, grants."""
