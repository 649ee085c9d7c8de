"""Whether an authority signed a time-stamp token, and whether its certificate leads to one the reader trusts.

CMS SignedData (RFC 5652 §5) as RFC 3161 §2.4.2 narrows it: one signer, signed attributes, and among these the certificate's
hash (RFC 5035). RSA, ECDSA and Ed25519 with SHA-2; another algorithm cannot be judged here and counts as no signature.
Certificates are judged at the time the token tells; whether one was revoked is not looked up.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from recorder.evidence.der import EXPLICIT_0, OCTETS, SEQUENCE, SET, Element, children, only
from recorder.evidence.timestamp import TST_INFO, TimestampInvalid, parse_reply, token_in, tst_info

MAX_CHAIN = 8
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)

_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("0609608648016503040201"): hashes.SHA256(),
    bytes.fromhex("0609608648016503040202"): hashes.SHA384(),
    bytes.fromhex("0609608648016503040203"): hashes.SHA512(),
}
_PSS = bytes.fromhex("06092a864886f70d01010a")
_CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
_SIGNING_CERTIFICATE = bytes.fromhex("060b2a864886f70d010910020c")  # RFC 2634: SHA-1
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("060b2a864886f70d010910022f")  # RFC 5035
_SIGNATURE_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("06092a864886f70d01010b"): hashes.SHA256(),
    bytes.fromhex("06092a864886f70d01010c"): hashes.SHA384(),
    bytes.fromhex("06092a864886f70d01010d"): hashes.SHA512(),
    bytes.fromhex("06082a8648ce3d040302"): hashes.SHA256(),
    bytes.fromhex("06082a8648ce3d040303"): hashes.SHA384(),
    bytes.fromhex("06082a8648ce3d040304"): hashes.SHA512(),
}

_HOSTILE = (
    *(IndexError, ValueError, TypeError, StopIteration, UnsupportedAlgorithm, InvalidSignature),
    *(
        UserWarning,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        x509.ExtensionNotFound,
    ),
)


class Authority:
    """Who signed a token: its certificate, and the others that came with it."""

    def __init__(self, certificate: x509.Certificate, others: Sequence[x509.Certificate]) -> None:
        self.certificate = certificate
        self._others = others

    @property
    def name(self) -> str:
        """The certificate's subject, in one line."""
        return self.certificate.subject.rfc4514_string()

    def leads_to(self, roots: Iterable[x509.Certificate], reply: bytes) -> bool:
        """Whether the certificate is for time stamps, and was valid then, under one of these roots (RFC 3161 §2.3)."""
        at = parse_reply(reply).at
        trusted = list(roots)
        return _for_stamps(self.certificate) and _leads(self.certificate, self._others, trusted, at, 0)


def signed_by(reply: bytes) -> Authority:
    """Who signed the token in a granted reply. Raises `TimestampInvalid` if nobody did."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a certificate that the library merely puts up with
            return _signed_by(reply)
    except _HOSTILE:
        raise TimestampInvalid("not signed as RFC 3161 asks") from None


def roots_in(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a reader's list. Raises `ValueError`."""
    return x509.load_pem_x509_certificates(pem)


def _signed_by(reply: bytes) -> Authority:
    signed = token_in(reply)
    info = tst_info(signed)
    parts = list(children(signed))
    certificates = [
        x509.load_der_x509_certificate(one.raw)
        for part in parts[3:-1]
        if part.tag == EXPLICIT_0
        for one in children(part.content)
    ]
    if parts[-1].tag != SET:
        raise ValueError("no signers")
    (signer,) = children(parts[-1].content)
    _version, sid, digest, attributes, algorithm, signature, *_ = children(signer.content)
    if attributes.tag != EXPLICIT_0 or signature.tag != OCTETS:
        raise ValueError("no signed attributes")
    chosen = _hash_of(digest)
    certificate = next(one for one in certificates if _is(one, sid))
    said = {one.raw: value for one, value in map(_attribute, children(attributes.content))}
    if _CONTENT_TYPE not in said or said[_CONTENT_TYPE].raw != TST_INFO:
        raise ValueError("another kind of content")
    if _MESSAGE_DIGEST not in said or only(said[_MESSAGE_DIGEST].raw, OCTETS) != _hash(chosen, info):
        raise ValueError("of another content")
    _names(said, certificate)
    # RFC 5652 §5.4: what is signed is the SET, whatever tag it has where it stands.
    _verify(certificate, algorithm, chosen, signature.content, b"\x31" + attributes.raw[1:])
    return Authority(certificate, [one for one in certificates if one is not certificate])


def _hash_of(algorithm: Element) -> hashes.HashAlgorithm:
    found = _HASHES.get(next(children(algorithm.content)).raw)
    if found is None:
        raise ValueError("another hash")
    return found


def _attribute(attribute: Element) -> tuple[Element, Element]:
    kind, values = children(attribute.content)
    (value,) = children(values.content)
    return kind, value


def _is(certificate: x509.Certificate, sid: Element) -> bool:
    if sid.tag != SEQUENCE:
        raise ValueError("a signer without issuer and number")
    issuer, serial = children(sid.content)
    number = int.from_bytes(serial.content, "big", signed=True)
    return certificate.issuer.public_bytes() == issuer.raw and certificate.serial_number == number


def _names(said: dict[bytes, Element], certificate: x509.Certificate) -> None:
    # RFC 5035 §4: the signature says whose it is; else another certificate of the same key could be put in its place.
    if _SIGNING_CERTIFICATE_V2 in said:
        first = next(children(next(children(said[_SIGNING_CERTIFICATE_V2].content)).content))
        one, *rest = children(first.content)
        algorithm: hashes.HashAlgorithm = _hash_of(one) if one.tag == SEQUENCE else hashes.SHA256()
        named = rest[0].content if one.tag == SEQUENCE else one.content
    elif _SIGNING_CERTIFICATE in said:
        first = next(children(next(children(said[_SIGNING_CERTIFICATE].content)).content))
        algorithm, named = hashes.SHA1(), next(children(first.content)).content  # noqa: S303
    else:
        raise ValueError("names no certificate")
    if certificate.fingerprint(algorithm) != named:
        raise ValueError("another certificate")


def _verify(
    certificate: x509.Certificate, algorithm: Element, chosen: hashes.HashAlgorithm, signature: bytes, message: bytes
) -> None:
    kind = next(children(algorithm.content)).raw
    hashed = _SIGNATURE_HASHES.get(kind, chosen)
    match certificate.public_key():
        case rsa.RSAPublicKey() as key if kind == _PSS:
            key.verify(signature, message, padding.PSS(padding.MGF1(hashed), padding.PSS.AUTO), hashed)
        case rsa.RSAPublicKey() as key:
            key.verify(signature, message, padding.PKCS1v15(), hashed)
        case ec.EllipticCurvePublicKey() as key:
            key.verify(signature, message, ec.ECDSA(hashed))
        case ed25519.Ed25519PublicKey() as key:
            key.verify(signature, message)
        case _:
            raise ValueError("another kind of key")


def _hash(algorithm: hashes.HashAlgorithm, content: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(content)
    return digest.finalize()


def _for_stamps(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except _HOSTILE:
        return False
    alone = usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    return alone and _known(certificate) and _uses(certificate) <= {"digital_signature", "content_commitment"}


def _leads(
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
    above: int,
) -> bool:
    # RFC 5280 §6.1, as far as it decides about authorities; `above`: how many steps it is from who signed the token.
    valid = certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
    if not valid or above == MAX_CHAIN:
        return False
    if certificate in roots:
        return True
    return any(
        _leads(issuer, others, roots, at, above + 1)
        for issuer in (*roots, *others)
        if issuer != certificate and _may_issue(issuer, above) and _issued(certificate, issuer)
    )


def _may_issue(certificate: x509.Certificate, between: int) -> bool:
    try:
        limits = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except _HOSTILE:
        return False
    far_enough = limits.path_length is None or between <= limits.path_length
    return (
        limits.ca
        and far_enough
        and _known(certificate)
        and "key_cert_sign" in (_uses(certificate) or {"key_cert_sign"})
    )


def _known(certificate: x509.Certificate) -> bool:
    # RFC 5280 §4.2: who does not understand a critical extension refuses the certificate.
    return all(one.value.oid in _UNDERSTOOD for one in certificate.extensions if one.critical)


def _uses(certificate: x509.Certificate) -> set[str]:
    """What the key is for; nothing if the certificate does not say."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return set()
    named = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return {name for name in (*named, "key_cert_sign", "crl_sign") if getattr(usage, name)} or {"nothing"}


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except _HOSTILE:
        return False
    return True
