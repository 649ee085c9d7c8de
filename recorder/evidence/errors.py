"""The evidence package's errors.

EvidenceError
├── NotCanonical      a line that is not one canonical JSON object
├── RecordInvalid     a record or a body that does not fit its type
├── ChainBroken       lines that do not continue each other
├── LogClosed         something was to follow `close`
├── KeyInvalid        a public key or a fingerprint that cannot be used
├── TrustListInvalid  a line of a trust list that cannot be read (`trust`)
├── Unreadable        an object that is not there or no plain file (`verify`)
├── ProofInvalid      a tree's proof that leads elsewhere (`tree`)
├── NoteInvalid       a signed note in another form, or not signed by who should have (`checkpoint`)
├── WitnessRefused    a checkpoint that a witness does not cosign (`witnessing`)
├── LogBroken         a proof that does not show the recording in its log (`logged`)
└── TimestampInvalid  a reply of a time-stamp authority that cannot be used (`timestamp`)
"""

from __future__ import annotations


class EvidenceError(Exception):
    """The root. `code` is stable, for machines; the text is for engineers and names no person."""

    code = "evidence_error"


class NotCanonical(EvidenceError):
    """The bytes are not the RFC 8785 form of one JSON object (FORM-1)."""

    code = "not_canonical"


class RecordInvalid(EvidenceError):
    """A record's members, its type or its body are not as FORMAT.md says (FORM-2, FORM-3)."""

    code = "record_invalid"


class ChainBroken(EvidenceError):
    """The lines given are no unbroken chain of this visit; `rule` is the first rule they break."""

    code = "chain_broken"

    def __init__(self, rule: str, where: str) -> None:
        super().__init__(f"{rule} at {where}")
        self.rule = rule
        self.where = where


class LogClosed(EvidenceError):
    """The visit's log has its closing record; nothing follows it (CLOSE-2)."""

    code = "visit_closed"


class KeyInvalid(EvidenceError):
    """Not a public key of an algorithm of version 1."""

    code = "key_invalid"
