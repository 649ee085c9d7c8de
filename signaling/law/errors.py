"""Why an event is refused: the codes of PROTOCOL.md §2 and §5, one class each.

`EventRefused`
├── of the wire: `NamespaceUnknown`, `EventUnknown`, `PayloadInvalid`, `VersionUnsupported`, `PayloadTooLarge`,
│   `RateLimited`, `Internal`
├── of the visit: `PhaseWrong`, `RoleWrong`, `VisitEnded`, `PatientAbsent`, `ConsentMissing`, `ConsentRefused`,
│   `ConsentTextUnknown`, `GuardianMissing`, `GuestAbsent`, `GuestsFull`, `RecorderUnavailable`, `MediaUnavailable`,
│   `VisitUnknown`
├── of a message: `MessageNotTaken`, `StoreUnavailable`
├── of a prescription: `SlotAbsent`, `RxConflict`, `RxFull`
└── of an offer, the worker's own words: `OfferRefused`
"""

from __future__ import annotations


class EventRefused(Exception):
    """An event that changes nothing (SIG-12). `code` is stable; the message is for logs and names nobody."""

    code = "internal"
    message = "something went wrong on the server's side"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)


class NamespaceUnknown(EventRefused):
    """Said somewhere else than in `/`."""

    code = "namespace_unknown"
    message = "this server listens on / alone"


class EventUnknown(EventRefused):
    """No such event."""

    code = "event_unknown"
    message = "this protocol has no such event"


class PayloadInvalid(EventRefused):
    """The payload is not what §5 says."""

    code = "payload_invalid"
    message = "the payload is not what the protocol says"


class VersionUnsupported(EventRefused):
    """Another version of the protocol."""

    code = "version_unsupported"
    message = "this server speaks version 1"


class PayloadTooLarge(EventRefused):
    """Over 64 KiB."""

    code = "payload_too_large"
    message = "the payload is over 64 KiB"


class RateLimited(EventRefused):
    """Over 50 events a second."""

    code = "rate_limited"
    message = "more events than a socket may send"


class Internal(EventRefused):
    """A bug of ours, or a part of the server that is stopping."""


class PhaseWrong(EventRefused):
    """Not in this phase."""

    code = "phase_wrong"
    message = "the visit is not in a phase for that"


class RoleWrong(EventRefused):
    """Not for this seat."""

    code = "role_wrong"
    message = "this seat may not do that"


class VisitEnded(EventRefused):
    """SIG-8: nothing leaves `ended`."""

    code = "visit_ended"
    message = "the visit has ended"


class PatientAbsent(EventRefused):
    """SIG-5."""

    code = "patient_absent"
    message = "the patient is not connected"


class ConsentMissing(EventRefused):
    """SIG-6: a seat has not decided."""

    code = "consent_missing"
    message = "a seat has not decided about the recording"


class ConsentRefused(EventRefused):
    """SIG-6: a seat refused, or withdrew."""

    code = "consent_refused"
    message = "a seat does not agree to the recording"


class GuestAbsent(EventRefused):
    """The guest is not connected, or there is none in this seat."""

    code = "guest_absent"
    message = "this guest is not connected"


class GuestsFull(EventRefused):
    """Three already."""

    code = "guests_full"
    message = "a visit has three guests at most"


class GuardianMissing(EventRefused):
    """A small child's guardian has to agree (SIG-40)."""

    code = "guardian_missing"
    message = "a guardian decides for a child under six: say who they are"


class ConsentTextUnknown(EventRefused):
    """The text agreed to is not one this server shows."""

    code = "consent_text_unknown"
    message = "reload the consent text"


class RecorderUnavailable(EventRefused):
    """The recorder cannot be reached."""

    code = "recorder_unavailable"
    message = "the recorder cannot be reached"


class MediaUnavailable(EventRefused):
    """No media worker can be reached."""

    code = "media_unavailable"
    message = "no media server can be reached"


class VisitUnknown(EventRefused):
    """No such visit, or not this doctor's."""

    code = "visit_unknown"
    message = "no such visit"


class MessageNotTaken(EventRefused):
    """The store refused a message: `message_conflict`, `messages_full` or `photo_unknown`."""

    message = "this message cannot be taken"

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code


class StoreUnavailable(EventRefused):
    """The database cannot be reached: the same may be tried again."""

    code = "store_unavailable"
    message = "the database cannot be reached"


class OfferRefused(EventRefused):
    """The media worker refused an offer."""

    CODES = frozenset({"sdp_invalid", "sdp_unsupported", "track_unknown", "source_taken"})

    def __init__(self, code: str, message: str) -> None:
        """`message` names the rule that was broken, and nothing that the offer holds."""
        super().__init__(message)
        self.code = code


class SlotAbsent(EventRefused):
    """No hospital's page is configured."""

    code = "slot_absent"
    message = "this deployment has no prescribing page"


class RxConflict(EventRefused):
    """The same version of a prescription with another hash."""

    code = "rx_conflict"
    message = "this version of the prescription was said to have another hash"


class RxFull(EventRefused):
    """There are as many as a visit takes."""

    code = "rx_full"
    message = "the visit holds as many prescriptions as it may"


class DoctorUnknown(EventRefused):
    """Nobody known by this id, or the one who asks."""

    code = "doctor_unknown"
    message = "there is no such colleague"
