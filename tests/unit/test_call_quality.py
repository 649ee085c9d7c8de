"""The certificate of a call, from what the records say."""

from __future__ import annotations

from recorder.evidence import records as r
from recorder.live.call_quality import CallQuality


def event(name: str, seat: str = "patient", **more: object) -> r.Event:
    body = r.body_of("event", {"event": name, "seat": seat, **more})
    assert isinstance(body, r.Event)
    return body


def test_each_leg_is_summed_and_what_the_client_claims_stands_apart() -> None:
    call = CallQuality()
    for loss in (10, 30):
        call.take(event("quality", detail={"loss_up_permille": loss, "loss_down_permille": 0, "rtt_ms": None}))
    for state in ("on", "on", "muted", "on"):
        call.take(event("microphone", state=state))
    call.take(event("frozen", detail={"source": "camera", "from_ms": 100, "to_ms": 450}))
    call.take(event("transport", state="connected"))
    call.take(event("claimed", detail={"relayed": True, "freezes": 2}))
    call.take(r.Gap("patient", 0, 500, "network", 3))
    call.take(r.Gap("patient", 500, 900, "off", None))
    assert call.body is not None
    leg = call.body.legs["patient"]
    assert leg.claimed == {"relayed": True, "freezes": 2}
    wanted = {
        "loss_up_permille": 20,
        "loss_up_permille_worst": 30,
        "loss_down_permille": 0,
        "samples": 2,
        "device_changes": 2,
        "frozen": 1,
        "frozen_ms": 350,
        "missing_ms": 500,
        "transports": 1,
        "codecs": "",
    }
    assert leg.measured.items() >= wanted.items()
    assert "rtt_ms" not in leg.measured


def test_a_visit_that_was_never_connected_has_no_certificate() -> None:
    call = CallQuality()
    call.take(event("late", state="doctor"))
    assert call.body is None
