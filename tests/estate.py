"""A whole store, made small: some visits, and the log that has every record of them, as {object name: bytes}."""

from __future__ import annotations

from random import Random

from recorder.evidence.checkpoint import Checkpoint, Note, NoteKey, sign
from recorder.evidence.layout import PROOF, prefix
from recorder.evidence.proof import LogProof
from recorder.evidence.tiles import TILE, tile_name, tiles
from recorder.evidence.tree import Tree, leaf_hash
from recorder.keys import Keys
from tests.bundles import ORIGIN, honest_visit, keys_of

ALONE = keys_of("the recorder", sm2=False)


def log_key(keys: Keys = ALONE) -> NoteKey:
    """The log's key, under the log's name."""
    return NoteKey(f"{ORIGIN}/{keys.fingerprint[:16]}", keys.public_keys[0])


def signed(tree: Tree, size: int, keys: Keys = ALONE) -> Note:
    """A checkpoint of the first `size` leaves."""
    text = Checkpoint(log_key(keys).name, size, tree.root(size)).text
    return Note(text, (sign(text, log_key(keys), lambda message: keys.sign(message)[0].sig),))


def log_objects(tree: Tree, sizes: list[int], keys: Keys = ALONE) -> dict[str, bytes]:
    """What the store has of a log that published at each of these sizes."""
    root = f"log/{keys.fingerprint[:16]}"
    objects: dict[str, bytes] = {}
    before = 0
    for size in sizes:
        for level, number, width in tiles(before, size):
            data = b"".join(tree.row(8 * level, number * TILE, width))
            objects[f"{root}/tile/{level}/{tile_name(number)}" + (f".p/{width}" if width < TILE else "")] = data
        objects[f"{root}/checkpoint/{size:012d}"] = signed(tree, size, keys).encoded
        before = size
    return objects


def estate(rng: Random, visits: int = 3, keys: Keys = ALONE) -> dict[str, bytes]:
    """A store of this many closed visits, their records mixed in the log as concurrent visits mix them."""
    return logged({f"visit-{n}": honest_visit(rng, f"visit-{n}", keys) for n in range(visits)}, rng, keys)


def logged(recordings: dict[str, dict[str, bytes]], rng: Random, keys: Keys = ALONE) -> dict[str, bytes]:
    """The store of these recordings, with a log made for them and the proofs of it."""
    waiting = {visit: lines_of(objects) for visit, objects in recordings.items()}
    tree, index, sizes = Tree(), {}, []
    while waiting:
        visit = rng.choice(sorted(waiting))
        line = waiting[visit].pop(0)
        index[visit] = tree.append(leaf_hash(line))
        if not waiting[visit]:
            del waiting[visit]
            sizes.append(tree.size)
    objects = log_objects(tree, sizes, keys)
    for visit, recording in recordings.items():
        proof = LogProof(index[visit], tuple(tree.inclusion(index[visit])), signed(tree, tree.size, keys))
        whole = {**recording, PROOF: proof.encoded}
        objects |= {prefix(visit) + name: data for name, data in whole.items()}
    return objects


def recordings_in(objects: dict[str, bytes]) -> dict[str, dict[str, bytes]]:
    """The recordings of a store, by visit."""
    found: dict[str, dict[str, bytes]] = {}
    for name, data in objects.items():
        top, _, rest = name.partition("/")
        if top == "recordings":
            visit, _, inner = rest.partition("/")
            found.setdefault(visit, {})[inner] = data
    return found


def lines_of(objects: dict[str, bytes]) -> list[bytes]:
    """Every record's line, in order."""
    return [line for name in sorted(objects) if name.startswith("records/") for line in objects[name].split(b"\n")[:-1]]
