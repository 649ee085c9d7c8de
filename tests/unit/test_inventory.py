"""A store read whole: nothing is missed in an honest one, and whatever is taken from it is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from recorder.bundle.inventory import NotAStore, StoreFolder, waiting
from recorder.evidence.checkpoint import Note
from recorder.evidence.custody import Asked, Body, Exported, Held, Rotated, Shredded
from recorder.evidence.inventory import Inventory, take_inventory
from recorder.evidence.layout import PROOF
from recorder.evidence.tiles import tile_name
from recorder.evidence.tree import Tree, leaf_hash
from tests.bundles import MemoryReader, keys_of, write_bundle
from tests.estate import ALONE, chained, estate, kept, lines_of, logged, recordings_in, signed

Objects = dict[str, bytes]
LOG = f"log/{ALONE.fingerprint[:16]}"


def count(objects: Objects, *heads: Note, live: list[bytes] | None = None) -> Inventory:
    return take_inventory(MemoryReader(objects), heads, live or [])


def broken(objects: Objects, *heads: Note) -> set[str]:
    return {one.rule for one in count(objects, *heads).broken}


def without(objects: Objects, *prefixes: str) -> Objects:
    return {name: data for name, data in objects.items() if not name.startswith(prefixes)}


@pytest.fixture(scope="module")
def store() -> Objects:
    return estate(Random(1), 10)


def newest(objects: Objects) -> str:
    return max(name for name in objects if "/checkpoint/" in name)


def tree_of(objects: Objects) -> Tree:
    """The tree of the full tiles, and of the widest partial one."""
    names = [name for name in objects if name.startswith(f"{LOG}/tile/0/")]
    full = sorted(name for name in names if ".p/" not in name)
    partial = [name for name in names if name.startswith(f"{LOG}/tile/0/{tile_name(len(full))}.p/")]
    tree = Tree()
    for name in [*full, *sorted(partial, key=lambda name: len(objects[name]))[-1:]]:
        for at in range(0, len(objects[name]), 32):
            tree.append(objects[name][at : at + 32])
    return tree


def test_an_honest_store_is_whole() -> None:
    for seed in range(10):
        found = count(estate(Random(seed), 1 + seed % 4))
        assert (found.broken, found.whole, found.behind) == ([], True, 0), seed
        assert found.recordings == 1 + seed % 4
        assert list(found.logs.values()) == [found.records]


def test_a_log_of_more_than_one_tile_is_read(store: Objects) -> None:
    found = count(store)
    assert found.records > 256, found.records
    assert found.whole


@pytest.mark.parametrize("visit", [f"visit-{n}" for n in range(10)])
def test_a_whole_visit_removed_is_caught(store: Objects, visit: str) -> None:
    found = count(without(store, f"recordings/{visit}/"))
    assert {one.rule for one in found.broken} == {"INV-3"}
    assert found.broken_total == sum(
        len(batch.splitlines()) for name, batch in store.items() if name.startswith(f"recordings/{visit}/records/")
    )


def test_every_visit_removed_leaves_a_log_that_nobody_can_vouch_for(store: Objects) -> None:
    assert broken(without(store, "recordings/")) == {"INV-1"}


def test_the_log_removed_is_caught_by_the_proofs(store: Objects) -> None:
    assert broken(without(store, "log/")) == {"INV-4", "INV-7"}


def test_a_visit_removed_with_the_log_and_all_proofs_is_caught(store: Objects) -> None:
    bare = {name: data for name, data in without(store, "recordings/visit-3/").items() if not name.endswith(PROOF)}
    for left in (without(bare, "log/"), without(bare, f"{LOG}/checkpoint/")):
        found = count(left)
        assert {(one.rule, one.where) for one in found.broken} == {
            ("INV-7", f"recordings/visit-{n}") for n in range(10) if n != 3
        }


def test_recordings_that_were_exchanged_or_put_together_are_caught(store: Objects) -> None:
    recordings = recordings_in(store)
    swapped = {f"recordings/visit-1/{name}": data for name, data in recordings["visit-2"].items()}
    swapped |= {f"recordings/visit-2/{name}": data for name, data in recordings["visit-1"].items()}
    assert broken({**without(store, "recordings/visit-1/", "recordings/visit-2/"), **swapped}) == {"INV-6"}
    last = max(name for name in recordings["visit-2"] if name.startswith("records/") and name.endswith(".jsonl"))
    more = b"".join(line + b"\n" for line in lines_of(recordings["visit-1"]))
    together = {
        **without(store, "recordings/visit-1/"),
        f"recordings/visit-2/{last}": recordings["visit-2"][last] + more,
    }
    assert broken(together) == {"INV-6"}


def test_a_missing_tile_is_caught(store: Objects) -> None:
    assert {"INV-2"} <= broken(without(store, f"{LOG}/tile/0/"))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data.replace(b"\n", b"\r\n", 1),
        lambda data: bytes(data)[:40] + b"A" + data[41:],
    ],
)
def test_a_changed_checkpoint_is_caught(store: Objects, change: Callable[[bytes], bytes]) -> None:
    assert "INV-1" in broken({**store, newest(store): change(store[newest(store)])})


def test_a_checkpoint_of_somebody_else_is_caught(store: Objects) -> None:
    thief = keys_of("someone else", sm2=False)
    assert "INV-1" in broken({**store, newest(store): signed(tree_of(store), tree_of(store).size, thief).encoded})


def test_a_fork_under_the_logs_own_key_is_caught(store: Objects) -> None:
    tree = tree_of(store)
    forked = Tree()
    for n in range(tree.size):
        forked.append(tree.row(0, n, 1)[0] if n != 7 else leaf_hash(b"another story"))
    assert "INV-2" in broken({**store, newest(store): signed(forked, tree.size).encoded})


def test_a_log_rolled_back_with_its_visits_is_caught_by_a_head_from_elsewhere(store: Objects) -> None:
    """Everything of the last visit gone, the log made anew without it: consistent in itself, and not what was seen before."""
    rewritten = logged(recordings_in(without(store, "recordings/visit-9/")), Random(2))
    assert broken(rewritten) == set()
    before = tree_of(store)
    assert broken(rewritten, signed(before, before.size)) == {"INV-5"}
    assert broken(store, signed(before, before.size // 2), signed(before, before.size)) == set()


def test_a_record_that_was_never_in_the_log_is_caught(store: Objects) -> None:
    name = "recordings/visit-0/records/000001.jsonl"
    assert broken({**store, name: store[name] + b'{"not":"logged"}\n'}) == {"INV-4"}


def test_a_visit_without_a_proof_may_be_ahead_of_the_log(store: Objects) -> None:
    name = max(name for name in store if name.startswith("recordings/visit-0/records/") and name.endswith(".jsonl"))
    *lines, close = store[name].splitlines()
    going_on = {other: data for other, data in store.items() if other != f"recordings/visit-0/{PROOF}"}
    going_on[name] = b"".join(line + b"\n" for line in [*lines, b'{"not":"logged yet"}'])
    found = count(going_on, live=[close])
    assert (found.broken, found.behind) == ([], 1)


def test_records_that_wait_in_a_spool_are_counted(store: Objects) -> None:
    gone = {
        name.removeprefix("recordings/visit-2/"): data
        for name, data in store.items()
        if name.startswith("recordings/visit-2/")
    }
    assert count(without(store, "recordings/visit-2/"), live=lines_of(gone)).whole


KEYS = Asked("keys", "lee", "operator", "court")
OUT = Exported("lee", "operator", "kim", "court", [])
GONE = Shredded("lee", "operator", "kim", "over", [])


def test_a_custody_chain_by_which_two_people_acted_is_whole() -> None:
    asked = Asked("shred", "lee", "operator", "over")
    lines = chained(("v", KEYS, 0), ("w", asked, 1), ("v", OUT, 2), ("w", GONE, 3))
    assert count(kept(lines, (0, 1, 3))).broken == []
    assert count(kept(lines, (0, 1, 3), outside=3)).broken[0].rule == "INV-3"


@pytest.mark.parametrize(
    "told",
    [
        [("v", OUT, 0)],
        [("v", KEYS, 0), ("w", OUT, 1)],
        [("v", KEYS, 0), ("v", OUT, 24 * 60 + 1)],
        [("v", KEYS, 0), ("v", Exported("lee", "operator", "lee", "court", []), 1)],
        [("v", KEYS, 0), ("v", OUT, 1), ("v", OUT, 2)],
        [("v", Asked("shred", "lee", "o", "x"), 0), ("v", Held(True, "kim", "o", "x"), 1), ("v", GONE, 2)],
    ],
)
def test_an_export_or_a_shredding_of_one_alone_is_caught(told: list[tuple[str, Body, int]]) -> None:
    found = count(kept(chained(*told))).broken
    assert found == [("CUSTODY-3", f"{LOG}/custody/000000000000.jsonl:{len(told)}")]


def test_a_custody_chain_that_was_cut_mixed_or_added_to_is_caught() -> None:
    lines = chained(("v", KEYS, 0), ("v", OUT, 1), ("v", KEYS, 2))
    first = f"{LOG}/custody/000000000000.jsonl"
    assert "CUSTODY-1" in broken(without(kept(lines, (0, 1)), first))
    assert "CUSTODY-1" in broken({**kept(lines), first: lines[1] + b"\n" + lines[0] + b"\n"})
    assert "CUSTODY-1" in broken({**kept(lines), first: lines[0]})
    assert "CUSTODY-2" in broken({**kept(lines), first: lines[0].replace(b'"court"', b"7") + b"\n"})
    assert "INV-8" in broken(kept(lines, outside=1))
    for form in (b'"seq":0.0', b'"seq": 0', b'"seq":0,"seq":0', b'"seq":-0', b'"s\\u0065q":0'):
        assert "CUSTODY-1" in broken({**kept(lines), first: lines[0].replace(b'"seq":0', form) + b"\n"})
    assert "CUSTODY-1" in broken({**kept(lines), first: bytes((16 << 20) + 1)})  # more than is read
    for at in range(0, len(lines[0]), 3):
        flipped = bytearray(lines[0])
        flipped[at] ^= 1
        assert not count({**kept(lines), first: bytes(flipped) + b"\n"}).whole


def test_a_rotation_is_of_no_single_visit() -> None:
    rotated = Rotated("lee", "root", 1, [])
    assert broken(kept(chained(("-", rotated, 0)))) == set()
    assert broken(kept(chained(("v", rotated, 0)))) == {"CUSTODY-2"}


@pytest.mark.parametrize("deep", [b'{"type":' + b"[" * 30_000, b"[" * 30_000 + b"]" * 30_000, b'{"a":' * 9_000])
def test_a_record_nested_without_end_is_no_record(store: Objects, deep: bytes) -> None:
    batch = "recordings/visit-1/records/000001.jsonl"
    custody = f"{LOG}/custody/000000000000.jsonl"
    manifest = f"manifests/{LOG[4:]}/2026-05-04.jsonl"
    assert {"INV-3", "INV-4", "CUSTODY-1"} <= broken(
        {**store, **dict.fromkeys((batch, custody, manifest), deep + b"\n")}
    )


def test_a_head_that_is_no_checkpoint_is_named(store: Objects) -> None:
    assert broken(store, Note("one line\n", ())) == {"INV-5"}


def test_a_folder_is_read_and_links_are_not_followed(store: Objects, tmp_path: Path) -> None:
    root = write_bundle(store, tmp_path / "store")
    assert take_inventory(StoreFolder(root)).whole
    batch = root / "recordings/visit-1/records/000001.jsonl"
    batch.rename(tmp_path / "elsewhere")
    batch.symlink_to(tmp_path / "elsewhere")
    assert {one.rule for one in take_inventory(StoreFolder(root)).broken} == {"INV-3"}
    with pytest.raises(NotAStore):
        StoreFolder(tmp_path)


def test_a_journal_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    (tmp_path / "visit-9").mkdir()
    (tmp_path / "visit-9" / "journal").write_bytes(
        b'{"records":["a","b"]}\n{"head":"x"}\nnot json\n{"records":["c"]}\n{"rec'
    )
    assert list(waiting(tmp_path)) == [b"a", b"b", b"c"]
    assert list(waiting(tmp_path / "nowhere")) == []
