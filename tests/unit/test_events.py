"""The door through which every event passes."""

from __future__ import annotations

from typing import Any

import pytest

from signaling.law import events
from signaling.law.errors import EventRefused
from tests.signaling_parts import CONSENT

OFFER = {"v": 1, "pc": "p", "sdp": "v=0", "publish": {"0": "camera"}, "subscribe": {"1": "doctor.camera"}}


def code(name: object, *arguments: object, size: int = 100) -> str:
    with pytest.raises(EventRefused) as error:
        events.parse(name, arguments, size)
    return error.value.code


CLAIM = {"visit": "Vb3k_-", "rx": "RX:2026-1", "version": 1, "state": "signed", "sha256": "ab" * 32, "sm3": "cd" * 32}


@pytest.mark.parametrize(
    ("name", "payload", "kind"),
    [
        ("enter", {}, events.Enter),
        ("consent", {"decision": "agreed", **CONSENT}, events.GiveConsent),
        ("withdraw", {}, events.Withdraw),
        ("admit", {}, events.Admit),
        ("offer", OFFER, events.Offer),
        ("media_state", {"microphone": "muted", "camera": "failed", "screen": "off"}, events.MediaState),
        ("view", {"camera": "small", "screen": "best"}, events.View),
        ("ice", {}, events.Ice),
        ("end", {"reason": "left"}, events.End),
        ("desk.take", {"visit": "Vb3k_-"}, events.DeskTake),
        ("message", {"id": "k3", "text": "头还是晕\n…"}, events.WriteMessage),
        ("message", {"id": "k3", "photo": "p1"}, events.WriteMessage),
        ("messages", {"after": 0}, events.AskMessages),
        ("admit_guest", {"seat": "guest-1"}, events.AdmitGuest),
        ("dismiss_guest", {"seat": "guest-3"}, events.DismissGuest),
        ("hold", {}, events.Hold),
        ("resume", {}, events.Resume),
        ("to_waiting", {}, events.ToWaiting),
        ("advice", {"text": ""}, events.Advice),
        ("notes.read", {}, events.NotesRead),
        ("notes.write", {"text": "脉细"}, events.NotesWrite),
        ("reconnect", {}, events.Reconnect),
        ("phone_back", {}, events.PhoneBack),
        ("rebook", {}, events.Rebook),
        ("invite", {"as": "interpreter"}, events.Invite),
        ("colleagues", {}, events.Colleagues),
        ("transfer", {"doctor": "d-2"}, events.Transfer),
        ("follow", {}, events.Follow),
        ("slot.open", {}, events.SlotOpen),
        ("slot.claim", CLAIM, events.SlotClaim),
        ("resync", {}, events.Resync),
    ],
)
def test_every_event_of_the_protocol_is_known(name: str, payload: dict[str, Any], kind: type) -> None:
    assert type(events.parse(name, [{"v": 1, **payload}], 100)) is kind


def test_there_is_no_other_event() -> None:
    assert len(events.TYPES) == 31
    assert code("connect", {"v": 1}) == code(None, {"v": 1}) == code(["enter"], {"v": 1}) == "event_unknown"


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"text": ""},
        {"text": "x" * 2001},
        {"text": "bell \x07"},
        {"text": "x", "photo": "p"},
        {"text": "x", "id": ""},
        {"text": "x", "id": "a b"},
        {"photo": "../x"},
    ],
)
def test_a_message_is_a_text_or_a_photo_under_an_id(payload: dict[str, Any]) -> None:
    assert code("message", {"v": 1, "id": "k3", **payload}) == "payload_invalid"


def test_a_prescription_has_versions_up_to_what_the_document_says() -> None:
    most = (1 << 31) - 1
    assert type(events.parse("slot.claim", [{"v": 1, **CLAIM, "version": most}], 100)) is events.SlotClaim
    for version in (0, most + 1, "1", 1.5):
        assert code("slot.claim", {"v": 1, **CLAIM, "version": version}) == "payload_invalid"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [{"v": 1}, {"v": 1}],
        [None],
        [[]],
        ["x"],
        [{}],
        [{"v": "1"}],
        [{"v": True}],
        [{"v": 1.0}],
        [{"v": 1, "x": 0}],
    ],
)
def test_what_is_not_one_object_with_a_version_is_invalid(arguments: list[Any]) -> None:
    assert code("enter", *arguments) == "payload_invalid"


def test_another_version_is_unsupported_whatever_else_it_says() -> None:
    assert code("enter", {"v": 2, "new": True}) == "version_unsupported"


@pytest.mark.parametrize(
    "change",
    [
        {"pc": ""},
        {"pc": "x" * 65},
        {"pc": "\ud800"},
        {"sdp": ""},
        {"sdp": "x" * (48 * 1024 + 1)},
        {"sdp": "王" * 20_000},
        {"publish": {"0": "window"}},
        {"publish": {"": "camera"}},
        {"publish": {str(mid): "camera" for mid in range(17)}},
        {"publish": []},
        {"subscribe": {"1": ""}},
        {"subscribe": {"1": "x" * 129}},
        {"subscribe": None},
    ],
)
def test_an_offer_is_bounded_in_all_its_parts(change: dict[str, Any]) -> None:
    assert code("offer", {**OFFER, **change}) == "payload_invalid"


def test_a_large_packet_is_refused_before_it_is_looked_at() -> None:
    assert code("enter", {"v": 1}, size=64 * 1024 + 1) == "payload_too_large"


def test_a_refusal_names_the_field_and_never_the_value() -> None:
    with pytest.raises(EventRefused) as error:
        events.parse("end", [{"v": 1, "reason": "王小英"}], 100)
    assert "王" not in str(error.value)
    assert "reason" in str(error.value)


def test_a_problem_repeats_at_most_64_characters_of_a_name_that_can_be_written() -> None:
    assert events.event_name("x" * 100) == "x" * 64
    assert events.event_name("a\ud800") == "a?"
    assert events.event_name(7) == ""
