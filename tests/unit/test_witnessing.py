"""A witness cosigns a log that only grows, and nothing else."""

from __future__ import annotations

import pytest

from recorder.evidence.checkpoint import Checkpoint, Note, NoteKey, sign
from recorder.evidence.tree import Tree
from recorder.evidence.witnessing import Submission, WitnessRefused, judge, parse_submission
from tests.bundles import RECORDER, THIEF
from tests.estate import tree_of

LOG = NoteKey("log.example/one", RECORDER.public_keys[0])


def note_of(tree: Tree, key: NoteKey = LOG, signer: object = RECORDER) -> Note:
    text = Checkpoint(key.name, tree.size, tree.root()).text
    return Note(text, (sign(text, key, lambda message: signer.sign(message)[0].sig),))  # type: ignore[attr-defined]


def seen(tree: Tree) -> Checkpoint:
    return Checkpoint(LOG.name, tree.size, tree.root())


def submitted(old: int, tree: Tree, proof: list[bytes] | None = None) -> Submission:
    steps = tree.consistency(old) if proof is None else proof
    return parse_submission(Submission(old, tuple(steps), note_of(tree)).encoded)


def refused(submission: Submission, before: Checkpoint | None) -> tuple[int, int | None]:
    with pytest.raises(WitnessRefused) as caught:
        judge(submission, [LOG], before)
    return caught.value.status, caught.value.seen


def test_a_first_checkpoint_a_larger_one_and_the_same_again_are_taken() -> None:
    tree = tree_of(9)
    assert judge(submitted(0, tree), [LOG], None).size == 9
    for old in range(1, 10):
        assert judge(submitted(old, tree), [LOG], seen(tree_of(old))) == seen(tree)


def test_a_fork_of_equal_size_is_refused() -> None:
    assert refused(submitted(9, tree_of(9, "other "), []), seen(tree_of(9))) == (409, 9)


def test_a_log_that_signed_two_histories_is_named() -> None:
    with pytest.raises(WitnessRefused) as caught:
        judge(submitted(9, tree_of(9, "other "), []), [LOG], seen(tree_of(9)))
    assert caught.value.forked == LOG.name


def test_what_is_no_text_is_refused_in_words() -> None:
    with pytest.raises(WitnessRefused, match="not ASCII"):
        parse_submission(b"old \xff\n\n")


def test_a_rewritten_past_is_refused() -> None:
    other = tree_of(12, "other ")
    assert refused(submitted(9, other), seen(tree_of(9)))[0] == 422


def test_a_rollback_is_refused() -> None:
    assert refused(submitted(5, tree_of(5), []), seen(tree_of(9))) == (409, 9)
    with pytest.raises(WitnessRefused) as caught:
        submitted(9, tree_of(5), [])
    assert caught.value.status == 400


def test_who_asks_without_knowing_the_size_is_told_it() -> None:
    assert refused(submitted(0, tree_of(12), []), seen(tree_of(9))) == (409, 9)


def test_unknown_logs_and_foreign_signatures_are_refused() -> None:
    tree = tree_of(3)
    stranger = NoteKey("log.example/two", RECORDER.public_keys[0])
    for key, signer, status in ((stranger, RECORDER, 404), (LOG, THIEF, 403)):
        submission = Submission(0, (), note_of(tree, key, signer))
        assert refused(submission, None)[0] == status


def test_what_is_no_submission_is_a_bad_request() -> None:
    good = Submission(0, (), note_of(tree_of(3))).encoded
    for body in (
        b"",
        b"old\n\n",
        b"old 01\n\n" + good,
        b"old 0\nAAAA\n\n" + good.partition(b"\n\n")[2],
        good[:-20],
        b"\xff" * 50,
    ):
        with pytest.raises(WitnessRefused) as caught:
            parse_submission(body)
        assert caught.value.status == 400
