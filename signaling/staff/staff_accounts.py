"""The accounts of the built-in issuer: a 0600 file of logins, roles and scrypt hashes, for one machine without a directory.

STAFF-1  Passwords are kept as scrypt (RFC 7914, N 2^15, r 8, p 1) under a salt of their own; a login that is not there costs
         as much time as a wrong password.
STAFF-2  A person is named by a random subject: a login may be given to somebody else, and the log of looks tells the two
         apart.
STAFF-3  Accounts that several commands make at once are all there afterwards.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from config.clock import random_bytes, random_name
from config.secrets import SecretError, secret_file
from signaling.staff.access import StaffRole

N, R, P = 1 << 15, 8, 1
MEMORY = 128 * N * R * 2
SHORTEST = 10

Login = Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9._-]{0,31}\Z")]


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person. `salt` and `hash` in hex."""

    login: Login
    subject: str
    role: StaffRole
    salt: str
    hash: str
    doctor: str | None = None


class AccountRefused(Exception):
    """An account that cannot be made; the text says why."""

    code = "account_refused"


class StaffAccounts:
    """The file, read anew when it changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, list[Account]] = (-1, [])

    def all(self) -> list[Account]:
        """Every account; none if there is no file. Raises `SecretError`."""
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if changed != self._read[0]:
            try:
                self._read = (changed, msgspec.json.decode(secret_file(self._path, bytes), type=list[Account]))
            except msgspec.MsgspecError as error:
                raise SecretError(f"{self._path} does not hold accounts: {error}") from None
        return self._read[1]

    def add(self, login: str, password: str, role: StaffRole, doctor: str | None = None) -> Account:
        """Make an account. Raises `AccountRefused`, `SecretError`, `OSError`."""
        if len(password) < SHORTEST:
            raise AccountRefused(f"a password has at least {SHORTEST} characters")
        if (role == "doctor") != (doctor is not None):
            raise AccountRefused("a doctor, and nobody else, is somebody the hospital knows by an id: --doctor")
        salt = random_bytes(16)
        said = (login, random_name(12), role, salt.hex(), _scrypt(password, salt).hex(), doctor)
        account = Account(*said)
        try:
            msgspec.convert(msgspec.to_builtins(account), Account)
        except msgspec.ValidationError:
            raise AccountRefused("a login is of a–z, 0–9, dot, dash and underscore") from None
        with self._alone():
            before = self.all()
            if any(one.login == login for one in before):
                raise AccountRefused(f"there is an account {login} already")
            self._write([*before, account])
        return account

    def check(self, login: str, password: str) -> Account | None:
        """Whose password this is. Takes about 60 ms of processor time: call it in a thread."""
        found = next((one for one in self.all() if one.login == login), None)
        salt = bytes.fromhex(found.salt) if found is not None else bytes(16)  # STAFF-1
        right = hmac.compare_digest(_scrypt(password, salt).hex(), found.hash if found is not None else "")
        return found if right else None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other command changes the accounts (STAFF-3)."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _write(self, accounts: list[Account]) -> None:
        draft = self._path.with_name(f".{self._path.name}.{random_name(6)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(accounts)) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        draft.replace(self._path)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=N, r=R, p=P, maxmem=MEMORY, dklen=32)
