"""Who may do what with a recording: one pure decision, each with a stable code. Nothing here looks or writes down.

ACCESS-1  An administrator gives grants, approves exports and sets legal holds, and never sees or hears a recording, nor whose
          it is.
ACCESS-2  A doctor sees the recordings of their own visits, and of nobody else's.
ACCESS-3  Quality control sees a sample: of the visits that a grant is about, those whose number under the grant's seed falls
          below its share. The seed is drawn by the server and stands in the grant, so that anybody can draw the sample again.
          Patients stay pseudonyms.
ACCESS-4  An auditor sees what a grant in force is about: named visits, a doctor's, or those of a span of time, until its end.
          A link is a grant that the hospital signed: one visit or all, until it expires.
ACCESS-5  Names and messages are for those who gave a reason for this visit, at most `REASON_S` ago.
ACCESS-6  An export takes two: who asked for it cannot approve it, and neither can a link, which says nothing of who holds it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

StaffRole = Literal["doctor", "quality", "auditor", "administrator"]
Action = Literal["list", "look", "play", "names", "messages", "reason", "export_ask", "export_approve", "copy", "hold"]
Purpose = Literal["complaint", "dispute", "quality", "regulator", "patient_request", "training", "other"]

REASON_S = 8 * 3600
PER_MILLE = 1000
_SAMPLED: frozenset[Action] = frozenset({"list", "look", "play", "reason"})
_OWN: frozenset[Action] = frozenset({"list", "look", "play", "names", "messages", "reason"})
_PERSONAL: frozenset[Action] = frozenset({"names", "messages"})


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A share of all visits, in thousandths, drawn by a seed (ACCESS-3)."""

    per_mille: Annotated[int, Meta(ge=1, le=PER_MILLE)]
    seed: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{16,64}\Z")]


class Grant(msgspec.Struct, frozen=True):
    """What somebody may see, and until when. Of `visits`, `doctor` and the span each may be unsaid; at least one is said.

    `since` and `before` bound when a visit was made. Times as `config.clock.iso` writes them: text order is time's.
    """

    id: str
    who: str
    purpose: Purpose
    begins: str
    until: str
    visits: tuple[str, ...] = ()
    doctor: str | None = None
    since: str | None = None
    before: str | None = None
    sample: Sample | None = None
    case: str = ""
    created: str = ""
    created_by: str = ""
    revoked: str | None = None
    revoked_by: str | None = None


class Asker(msgspec.Struct, frozen=True):
    """Who asks. `who` is fit for logs. `doctor`: the hospital's id of one. A link's `visit` is None if all are its own."""

    who: str
    role: StaffRole
    doctor: str | None = None
    link: bool = False
    visit: str | None = None


class Subject(msgspec.Struct, frozen=True):
    """The visit asked about: who its doctor is, when it was made, and until when a reason of the asker's holds."""

    visit: str
    doctor: str
    created: str
    reason_until: str | None = None


class Allowed(msgspec.Struct, frozen=True):
    """Yes, and by which grant."""

    grant: str | None = None
    purpose: Purpose | None = None
    code: Literal["allowed"] = "allowed"


Why = Literal[
    "role_wrong",
    "not_own_visit",
    "grant_missing",
    "grant_not_begun",
    "grant_expired",
    "grant_revoked",
    "not_sampled",
    "reason_needed",
    "same_person",
]


class Refused(msgspec.Struct, frozen=True):
    """No, and why."""

    code: Why


Decision = Allowed | Refused


def decide(
    asker: Asker, grants: Iterable[Grant], subject: Subject, action: Action, at: str, asked_by: str | None = None
) -> Decision:
    """Whether `asker` may, now. `grants` are the asker's own; `asked_by` is who asked for the export to be approved."""
    if action == "export_approve" and asker.link:
        return Refused("role_wrong")
    if action == "export_approve" and asked_by is not None and one_person(asked_by, asker.who):  # ACCESS-6
        return Refused("same_person")
    decision = _by_role(asker, grants, subject, action, at)
    needs_reason = action in _PERSONAL or (action in ("export_ask", "copy") and not isinstance(decision, Refused))
    if isinstance(decision, Refused) or not needs_reason:
        return decision
    if subject.reason_until is None or subject.reason_until <= at:  # ACCESS-5
        return Refused("reason_needed")
    return decision


def one_person(one: str, other: str) -> bool:
    """Whether two names of the log are one person's: who signs in is `<role>-<pseudonym>`, that the same in any role."""
    return one == other or one.partition("-")[2] == other.partition("-")[2] != ""


def sampled(sample: Sample, visit: str) -> bool:
    """Whether the sample has this visit: the first 8 octets of SHA-256 over three lines, modulo 1000, below its share."""
    digest = hashlib.sha256(f"teleconsult sample 1\n{sample.seed}\n{visit}\n".encode()).digest()
    return int.from_bytes(digest[:8]) % PER_MILLE < sample.per_mille


def _by_role(asker: Asker, grants: Iterable[Grant], subject: Subject, action: Action, at: str) -> Decision:
    match asker.role:
        case "administrator":  # ACCESS-1
            return Allowed() if action in ("list", "export_approve", "hold") else Refused("role_wrong")
        case "doctor":  # ACCESS-2
            if action not in _OWN:
                return Refused("role_wrong")
            own = asker.doctor is not None and asker.doctor == subject.doctor
            return Allowed() if own else Refused("not_own_visit")
        case "quality":  # ACCESS-3
            if action not in _SAMPLED:
                return Refused("role_wrong")
            return _by_grant((grant for grant in grants if grant.sample is not None), subject, at)
        case "auditor":  # ACCESS-4
            if action == "hold":
                return Refused("role_wrong")
            if asker.link:
                return Allowed() if asker.visit in (None, subject.visit) else Refused("not_own_visit")
            return _by_grant(grants, subject, at)


_NEAREST: tuple[Why, ...] = ("grant_missing", "not_sampled", "grant_not_begun", "grant_expired", "grant_revoked")
"""Of several grants that all refuse, the one that came nearest names the reason."""


def _by_grant(grants: Iterable[Grant], subject: Subject, at: str) -> Decision:
    why: Why = "grant_missing"
    for grant in grants:
        refused = _refused_by(grant, subject, at)
        if refused is None:
            return Allowed(grant.id, grant.purpose)
        why = max(why, refused, key=_NEAREST.index)
    return Refused(why)


def _refused_by(grant: Grant, subject: Subject, at: str) -> Why | None:
    if not about(grant, subject):
        return "grant_missing"
    if grant.sample is not None and not sampled(grant.sample, subject.visit):
        return "not_sampled"
    if grant.revoked is not None:
        return "grant_revoked"
    if at < grant.begins:
        return "grant_not_begun"
    return "grant_expired" if at >= grant.until else None


def about(grant: Grant, subject: Subject) -> bool:
    """Whether a grant concerns this visit at all, sample and time left aside."""
    if grant.visits and subject.visit not in grant.visits:
        return False
    if grant.doctor is not None and grant.doctor != subject.doctor:
        return False
    if grant.since is not None and subject.created < grant.since:
        return False
    return grant.before is None or subject.created < grant.before
