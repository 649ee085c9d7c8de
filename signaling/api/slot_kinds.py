"""The hospital's prescribing page and its server's word, over the HTTP API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from signaling.api.kinds import Id, Request
from signaling.law.facts import Doctor, Patient, RxStanding, RxState


class SlotSetting(msgspec.Struct, frozen=True):
    """The hospital's prescribing page, and the secret its server signs with."""

    url: str
    origin: str
    secret: str


class RedeemCode(Request, frozen=True):
    """A one-time code from `tc.context`."""

    code: Annotated[str, Meta(min_length=1, max_length=128)]


class RedeemedCode(msgspec.Struct, frozen=True):
    """Who the visit is about. `patient.id` is the hospital's own; `fhir_base` its own FHIR server, as configured."""

    visit: Id
    patient: Patient
    doctor: Doctor
    fhir_base: str | None


Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z", description="Lower-case hex.")]


class RxWord(Request, frozen=True):
    """What the hospital's server says of one version of a prescription."""

    visit: Id
    rx: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.:-]{1,128}\Z")]
    version: Annotated[int, Meta(ge=1, le=(1 << 31) - 1)]
    state: RxState
    sha256: Digest
    sm3: Digest | None = None


class ConfirmedRx(msgspec.Struct, frozen=True):
    """How it stands now; `late`: it stood unconfirmed before."""

    visit: Id
    rx: str
    version: int
    state: RxState
    standing: RxStanding
    late: bool
