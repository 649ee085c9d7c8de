"""Root keys in a hardware module, over PKCS#11: they are made there, marked sensitive, and never leave it.

A root key is an AES-256 object labelled `teleconsult-<number>-<id>`; the highest number is the newest. Data keys go through
`CKM_AES_GCM` with 12 random bytes as nonce, so a module without that mechanism is refused (`KmsAway`). GM/T modules speak
SKF (GM/T 0016) instead: an adapter like this one.

The session is opened when it is first needed and anew after any failure: a module that was away comes back by itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.mechanisms import GCMParams

from config.clock import random_bytes, random_name
from recorder.sealing.kms import KeyDestroyed, KmsAway, WrapBroken, Wrapped

_NONCE = 12
_TAG_BITS = 128
_LABEL = re.compile(r"teleconsult-([0-9]{6})-(k[A-Za-z0-9_-]+)")


class Pkcs11Kms:
    """One token of one module (`recorder.sealing.kms.Kms`). One call at a time, from one thread."""

    def __init__(self, module: Path, token: str, pin_file: Path) -> None:
        """`module`: the vendor's library; `token`: its label. Nothing is opened yet."""
        self._module, self._token, self._pin_file = module, token, pin_file
        self._session: Any = None
        self._lost_it = False

    def rotate(self) -> str:
        """Make a new root key in the module; its id."""
        root = f"k{random_name(12)}"
        try:
            number = max((number for number, _ in self._numbered()), default=0) + 1
            self._opened().generate_key(
                KeyType.AES,
                256,
                label=f"teleconsult-{number:06d}-{root}",
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True},
            )
        except pkcs11.PKCS11Error as error:
            raise self._lost(error) from None
        return root

    def roots(self) -> list[str]:
        """The ids of all root keys, the newest last."""
        try:
            return [root for _, root in self._numbered()]
        except pkcs11.PKCS11Error as error:
            raise self._lost(error) from None

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """AES-256-GCM in the module, under the newest root key; the first use makes one."""
        roots = self.roots()
        root = roots[-1] if roots else self.rotate()
        nonce = random_bytes(_NONCE)
        try:
            sealed = self._root(root).encrypt(data_key, **_gcm(nonce, root, context))
        except pkcs11.PKCS11Error as error:
            raise self._lost(error) from None
        return Wrapped(root, nonce + bytes(sealed))

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """The data key."""
        nonce, sealed = wrapped.blob[:_NONCE], wrapped.blob[_NONCE:]
        try:
            key = self._root(wrapped.root)
        except pkcs11.PKCS11Error as error:
            raise self._lost(error) from None
        try:
            return bytes(key.decrypt(sealed, **_gcm(nonce, wrapped.root, context)))
        except (
            pkcs11.EncryptedDataInvalid,
            pkcs11.EncryptedDataLenRange,
            pkcs11.ArgumentsBad,
            pkcs11.DataInvalid,
            pkcs11.GeneralError,  # what SoftHSM says when the tag does not fit
        ):
            raise WrapBroken("the wrapped key was changed, or is another") from None
        except pkcs11.PKCS11Error as error:
            raise self._lost(error) from None

    def destroy(self, root: str) -> None:
        """Destroy the object. What the module's own backups hold is its operator's to destroy."""
        try:
            self._root(root).destroy()
        except KeyDestroyed:
            return
        except pkcs11.PKCS11Error as error:
            raise self._lost(error) from None

    # ---- inside

    def _opened(self) -> Any:
        if self._session is None:
            try:
                pin = self._pin_file.read_text("utf-8").strip()
                library = pkcs11.lib(str(self._module))
                if self._lost_it:  # what it knew of its tokens may be old
                    library.reinitialize()
                    self._lost_it = False
                token = library.get_token(token_label=self._token)
                try:
                    self._session = token.open(rw=True, user_pin=pin)
                except pkcs11.UserAlreadyLoggedIn:  # a process logs in once, for all its sessions
                    self._session = token.open(rw=True)
            except OSError as error:
                raise KmsAway(f"{self._pin_file} cannot be read: {error.strerror}") from None
            except (pkcs11.PKCS11Error, RuntimeError) as error:
                raise self._lost(error) from None
        return self._session

    def _numbered(self) -> list[tuple[int, str]]:
        found = []
        for key in self._opened().get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}):
            label = _LABEL.fullmatch(key.label or "")
            if label is not None:
                found.append((int(label[1]), label[2]))
        return sorted(found)

    def _root(self, root: str) -> Any:
        for number, known in self._numbered():
            if known == root:
                label = f"teleconsult-{number:06d}-{root}"
                return self._opened().get_key(object_class=ObjectClass.SECRET_KEY, label=label)
        raise KeyDestroyed("no root key of this id")

    def _lost(self, error: Exception) -> KmsAway:
        self._session, self._lost_it = None, True
        return KmsAway(f"the module said {type(error).__name__}")


def _gcm(nonce: bytes, root: str, context: bytes) -> dict[str, Any]:
    bound = b"teleconsult-wrap-v1\0" + root.encode() + b"\0" + context
    return {"mechanism": Mechanism.AES_GCM, "mechanism_param": GCMParams(nonce, bound, _TAG_BITS)}
