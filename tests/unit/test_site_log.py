"""One recorder's log: nothing is lost, doubled or forked, wherever the recorder dies."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from recorder.evidence.checkpoint import parse_checkpoint, signed_by
from recorder.evidence.proof import check_proof, parse_proof
from recorder.evidence.tree import Tree, check_consistency, leaf_hash
from recorder.log.site_log import LogDamaged, SiteLog
from recorder.log.tree_files import TreeFiles
from tests.bundles import ORIGIN, RECORDER


def opened(folder: Path) -> SiteLog:
    return SiteLog(folder, ORIGIN, RECORDER)


def lines(visit: str, first: int, number: int) -> list[bytes]:
    return [f"{visit} {n}".encode() for n in range(first, first + number)]


def test_records_of_many_visits_are_proven_against_one_checkpoint(tmp_path: Path) -> None:
    log = opened(tmp_path)
    for n in range(5):
        for visit in ("a", "b", "c"):
            log.take(visit, n * 3, lines(visit, n * 3, 3))
        assert log.write()
    note = log.checkpoint()
    assert signed_by(note, log.key)
    for visit in ("a", "b", "c"):
        proof = log.proof(visit, 15)
        assert proof is not None
        assert check_proof(parse_proof(proof.encoded), lines(visit, 14, 1)[0], log.key).size == 45
    assert log.proof("a", 16) is None
    assert not log.write()


def test_a_record_told_again_is_one_leaf(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.take("a", 0, lines("a", 0, 4))
    log.write()
    log.close()
    log = opened(tmp_path)
    log.take("a", 0, lines("a", 0, 6))
    log.take("a", 2, lines("a", 2, 4))
    log.write()
    assert log.size == 6


def test_no_death_forks_the_log(tmp_path: Path) -> None:
    """Each life may end anywhere; whatever tail of the files was not synced is lost, and the recorder tells it again."""
    rng = Random(5)
    told: list[bytes] = []
    seen = None
    for life in range(60):
        log = opened(tmp_path)
        log.take("a", 0, told)
        for _ in range(rng.randrange(4)):
            first = len(told)
            told += lines("a", first, rng.randrange(1, 20))
            log.take("a", first, told[first:])
            log.write()
            if rng.random() < 0.5:
                new = parse_checkpoint(log.checkpoint().text)
                if seen is not None:
                    check_consistency(seen.size, seen.root, new.size, new.root, log.consistency(seen.size))
                seen = new
        if rng.random() < 0.5:  # dies between the leaves and the journal: the leaves were never said to be durable
            first = len(told)
            told += lines("a", first, 5)
            for line in told[log.size :]:
                log._files.tree.append(leaf_hash(line))
        log.close()
        if rng.random() < 0.3:
            with (tmp_path / "journal").open("ab") as file:
                file.write(b'{"visit":"a","se')
            with (tmp_path / "level-00").open("ab") as file:
                file.write(b"torn" * life)
    log = opened(tmp_path)
    log.take("a", 0, told)
    log.write()
    tree = Tree()
    for line in told:
        tree.append(leaf_hash(line))
    assert parse_checkpoint(log.checkpoint().text).root == tree.root()


def test_a_folder_set_back_is_not_continued(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.take("a", 0, lines("a", 0, 4))
    log.write()
    log.checkpoint()
    log.close()
    (tmp_path / "journal").write_bytes(b"")
    with pytest.raises(LogDamaged):
        opened(tmp_path)


def test_a_log_has_one_writer(tmp_path: Path) -> None:
    log = opened(tmp_path)
    with pytest.raises(LogDamaged, match="another recorder"):
        opened(tmp_path)
    log.close()


def test_the_log_keeps_its_name_when_the_recorder_moves(tmp_path: Path) -> None:
    name = opened(tmp_path).key.name
    assert name == f"{ORIGIN}/{RECORDER.fingerprint[:16]}"


def test_a_level_that_is_lost_is_made_again(tmp_path: Path) -> None:
    files = TreeFiles(tmp_path, 0)
    for n in range(100):
        files.tree.append(leaf_hash(b"%d" % n))
    root = files.tree.root()
    files.close()
    (tmp_path / "level-02").unlink()
    files = TreeFiles(tmp_path, 100)
    assert files.tree.root() == root
    assert files.tree.inclusion(37)
    files.close()


def test_the_journal_is_bounded_and_a_later_life_knows_as_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.log.site_log.JOURNAL_MOST", 4096)
    site = SiteLog(tmp_path, ORIGIN, RECORDER)
    for n in range(300):
        site.take(f"visit-{n}", 0, [b"one", b"two"])
        site.take("open", n, [b"%d" % n])
        site.write()
        site.forget(f"visit-{n}")
    note = site.checkpoint()
    proof = site.proof("open", 300)
    site.close()
    assert (tmp_path / "journal").stat().st_size < 10_000
    later = SiteLog(tmp_path, ORIGIN, RECORDER)
    assert (later.size, later.note) == (900, note)
    assert later.proof("open", 300) == proof
    later.take("open", 0, [b"%d" % n for n in range(301)])
    later.write()
    assert later.size == 901
    later.close()


@pytest.mark.parametrize(("durable", "dead"), [(1, 1), (3, 1), (6, 30), (7, 2), (8, 8)])
def test_nothing_of_the_leaves_that_a_dead_life_lost_is_in_the_tree(tmp_path: Path, durable: int, dead: int) -> None:
    """Not even the one hash of a level that those leaves began (LEAVES-1)."""
    kept = [leaf_hash(line) for line in lines("a", 0, durable)]
    files = TreeFiles(tmp_path, 0)
    for leaf in [*kept, *(leaf_hash(line) for line in lines("lost", 0, dead))]:
        files.tree.append(leaf)
    files.close()
    files, plain = TreeFiles(tmp_path, durable), Tree()
    for leaf in [*kept, *(leaf_hash(line) for line in lines("b", 0, 40))]:
        plain.append(leaf)
    for line in lines("b", 0, 40):
        files.tree.append(leaf_hash(line))
    assert [files.tree.root(size) for size in range(durable + 41)] == [plain.root(size) for size in range(durable + 41)]
    files.close()
