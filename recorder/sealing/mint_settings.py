"""The mint that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from config.settings import Settings
from recorder.sealing.escrow import AgeEscrow, RecipientInvalid
from recorder.sealing.keyring import Keyring
from recorder.sealing.kms import FileKms, Kms
from recorder.sealing.mint import Mint


def mint_for(settings: Settings, tell: Callable[[str, bool], None]) -> Mint:
    """The mint. Raises `SystemExit` for a setting that cannot be used."""
    try:
        escrow = AgeEscrow(settings.escrow) if settings.escrow is not None else None
    except RecipientInvalid as error:
        raise SystemExit(f"escrow: {error}") from None
    suite = None if settings.encryption == "off" else settings.encryption
    return Mint(suite, keyring_of(settings), kms_of(settings), FileKms(settings.keys / "local-kms"), escrow, tell)


def keyring_of(settings: Settings) -> Keyring:
    """Where the wrapped keys lie."""
    return Keyring(settings.keyring or settings.data / "keyring")


def kms_of(settings: Settings) -> Kms:
    """`file` is DATA/keys/kms; `pkcs11:MODULE?token=LABEL` a hardware module, its PIN in `kms_pin_file`."""
    if settings.kms == "file":
        return FileKms(settings.keys / "kms")
    from recorder.sealing.kms_pkcs11 import Pkcs11Kms

    module, _, label = settings.kms.removeprefix("pkcs11:").partition("?token=")
    return Pkcs11Kms(Path(module), label, settings.kms_pin_file or settings.keys / "kms.pin")
