"""`teleconsult staff`: the accounts of the built-in issuer, and those of the demo."""

from __future__ import annotations

from typing import get_args

import click

from config.clock import random_name
from config.secrets import SecretError, secret_key
from config.settings import Settings
from signaling.pseudonyms import KeyedPseudonyms
from signaling.staff.access import StaffRole
from signaling.staff.oidc import BUILT_IN, staff_name
from signaling.staff.staff_accounts import Account, AccountRefused, StaffAccounts

ROLES: tuple[StaffRole, ...] = get_args(StaffRole)
DEMO: tuple[tuple[str, StaffRole, str | None], ...] = (
    ("admin", "administrator", None),
    ("auditor1", "auditor", None),
    ("auditor2", "auditor", None),
    ("quality", "quality", None),
    ("doctor", "doctor", "demo-doctor"),
)


def add(settings: Settings, login: str, role: StaffRole, doctor: str | None, password: str) -> str:
    """Make an account; what every log will call that person. Raises `click.ClickException`."""
    try:
        account = StaffAccounts(settings.data / "staff.json").add(login, password, role, doctor)
        return _who(settings, account)
    except (AccountRefused, SecretError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot write to {settings.data}: {error.strerror}") from None


def listed(settings: Settings) -> list[tuple[str, StaffRole, str]]:
    """(login, role, what every log calls them). Raises `click.ClickException`."""
    try:
        accounts = StaffAccounts(settings.data / "staff.json").all()
        return [(one.login, one.role, _who(settings, one)) for one in accounts]
    except SecretError as error:
        raise click.ClickException(str(error)) from None


def demo_accounts(settings: Settings) -> list[tuple[str, str]]:
    """Logins and passwords to try with, where nobody has an account yet; else none."""
    accounts = StaffAccounts(settings.data / "staff.json")
    if settings.oidc_issuer is not None or accounts.all():
        return []
    made = [(login, random_name(9), role, doctor) for login, role, doctor in DEMO]
    for login, password, role, doctor in made:
        accounts.add(login, password, role, doctor)
    return [(login, password) for login, password, _, _ in made]


def _who(settings: Settings, account: Account) -> str:
    """As `signaling.api.signing_in` names them: by issuer and subject, under the pseudonyms' key."""
    pseudonyms = KeyedPseudonyms(secret_key(settings.recorder_seat_salt_file or settings.keys / "pseudonym.key"))
    return staff_name(account.role, pseudonyms, BUILT_IN, account.subject)
