"""Trust in one certificate: a server's own, reached at another address than the one it was made for."""

from __future__ import annotations

import ssl
from pathlib import Path


def pinned(certificate: Path) -> ssl.SSLContext:
    """Trusts what this PEM file begins with, whatever its name and whoever vouches for it. Raises `OSError`, `ValueError`.

    Nothing else of the file: an authority behind it would vouch for anybody, since names are not looked at.
    """
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    _, _, rest = certificate.read_text().partition(begin)
    first = f"{begin}{rest.partition(end)[0]}{end}\n"
    context = ssl.create_default_context(cadata=first)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # of an authority's chain the file lacks the root
    return context
