"""One published track: its SSRC, and asking for keyframes."""

from __future__ import annotations

import itertools

from media.forwarding.producer import PLI_EVERY_S, PLI_SELDOM_S, Producer
from tests.contract.plane_peers import VP8_DELTA, VP8_KEY, audio, video


def test_another_ssrc_takes_over_only_when_the_one_in_use_is_quiet() -> None:
    producer = Producer(video())
    assert producer.use(1, 0.0)
    producer.heard = 0.0
    assert not producer.use(2, 0.4)
    assert producer.use(1, 0.4)
    assert producer.use(2, 0.6)
    assert producer.ssrc == 2


def test_a_keyframe_is_asked_for_until_it_comes_but_not_too_often() -> None:
    producer = Producer(video())
    producer.use(1, 0.0)
    producer.codec = "VP8"
    assert producer.want_keyframe()
    asked = [n / 100 for n in range(200) if producer.pli_due(n / 100)]
    assert len(asked) == 4
    assert all(b - a >= PLI_EVERY_S for a, b in itertools.pairwise(asked))
    assert not producer.begins(VP8_DELTA, 0, len(VP8_DELTA))
    assert producer.wanting
    assert producer.begins(VP8_KEY, 0, len(VP8_KEY))
    assert not producer.pli_due(10.0)


def test_a_camera_that_never_answers_is_asked_seldom() -> None:
    producer = Producer(video())
    producer.use(1, 0.0)
    producer.want_keyframe()
    asked = [n / 10 for n in range(600) if producer.pli_due(n / 10)]
    assert asked[-1] - asked[-2] >= PLI_SELDOM_S


def test_nothing_is_asked_of_audio_of_the_unheard_or_of_those_who_did_not_agree() -> None:
    assert not Producer(audio()).want_keyframe()
    assert not Producer(video(pli=False)).want_keyframe()
    unheard = Producer(video())
    assert unheard.want_keyframe()
    assert not unheard.pli_due(1.0)
