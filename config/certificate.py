"""A certificate for this machine's addresses, signed by itself: enough for a phone in the same network.

Browsers ask once whether to trust it. Camera and microphone need https anywhere but on the machine itself.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.clock import utc_now
from config.secrets import secret_file

LIFETIME = timedelta(days=397)
"""The longest that phones accept of any certificate, to be on the safe side."""
RENEWED_BEFORE = timedelta(days=30)


def self_signed(folder: Path, addresses: list[str]) -> tuple[Path, Path]:
    """The certificate and key files, made anew when the old one is about to expire or an address is not in it."""
    certificate, key_file = folder / "tls.crt", folder / "tls.key"
    if certificate.exists() and key_file.exists() and _still_good(certificate, addresses):
        return certificate, key_file
    key_file.unlink(missing_ok=True)
    pem = secret_file(key_file, _new_key)
    key = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate.write_bytes(_sign(key, addresses).public_bytes(serialization.Encoding.PEM))
    return certificate, key_file


def _still_good(file: Path, addresses: list[str]) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    held = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return set(addresses) <= held and certificate.not_valid_after_utc > utc_now() + RENEWED_BEFORE


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _sign(key: ec.EllipticCurvePrivateKey, addresses: list[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Teleconsult, self-signed")])
    names = [x509.DNSName("localhost"), *(x509.IPAddress(ip_address(text)) for text in addresses)]
    now = utc_now()
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
