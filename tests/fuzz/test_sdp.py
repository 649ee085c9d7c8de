"""Accepted, or refused with an `SdpError`: real offers cut, doubled, swapped and spoiled."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from media.control import Source, Track
from media.plane import IceCredentials
from media.sdp import Forwarded, Local, Negotiation, SdpError, decide, parse

OFFERS = [p.read_bytes().decode() for p in sorted((Path(__file__).parent.parent / "fixtures" / "sdp").glob("*.sdp"))]
TRACKS = {"d.c": Forwarded(Track("d.c", "d", "camera", "video", "VP8"), "r/d.c")}
LOCAL = Local(IceCredentials("srvr", "p" * 24), "AB:CD", (("192.0.2.1", 7900),))

sources: st.SearchStrategy[dict[str, Source]] = st.dictionaries(
    st.sampled_from(["0", "1", "2", "3", "9", ""]), st.sampled_from(["microphone", "camera", "screen"]), max_size=3
)
subscriptions = st.dictionaries(st.sampled_from(["2", "3", "4", "9", ""]), st.just("d.c"), max_size=3)


@st.composite
def spoiled(draw: st.DrawFn) -> str:
    lines = draw(st.sampled_from(OFFERS)).split("\r\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["drop", "double", "swap", "cut", "insert", "number"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
            case "number":
                lines[at] = lines[at].replace("1", draw(st.sampled_from(["", "-1", "99999999999", "٣", "0x1"])))
            case _:
                lines[at] += draw(st.text(max_size=20))
    return draw(st.sampled_from(["\r\n", "\n"])).join(lines)


def survive(text: str, publish: dict[str, Source], subscribe: dict[str, str]) -> None:
    numbers = count(1)
    try:
        said = decide(
            parse(text),
            Negotiation("k", publish, subscribe, TRACKS, LOCAL, lambda s: f"r/p.{s}", lambda: next(numbers)),
        )
    except SdpError as refused:
        assert refused.code in ("sdp_invalid", "sdp_unsupported")  # noqa: PT017 - any other exception fails the test by itself
    else:
        assert said.sdp.startswith("v=0\r\n")
        assert said.sdp.count("\r\nm=") == len(parse(text).sections)


@settings(max_examples=400, deadline=None)
@given(spoiled(), sources, subscriptions)
def test_a_spoiled_offer_is_answered_or_refused(
    text: str, publish: dict[str, Source], subscribe: dict[str, str]
) -> None:
    survive(text, publish, subscribe)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_answered_or_refused(text: str) -> None:
    survive(text, {}, {})
    survive("v=0\r\n" + text, {}, {})
