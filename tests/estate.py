"""A whole store, made small: some visits, and the log that has every record of them, as {object name: bytes}."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random

from msgspec import to_builtins

from config.clock import iso
from recorder.evidence.canon import canonical
from recorder.evidence.checkpoint import Checkpoint, Note, NoteKey, sign
from recorder.evidence.custody import NAMES, Body
from recorder.evidence.layout import PROOF, prefix
from recorder.evidence.manifest import Entry, make_manifest, visit_hash
from recorder.evidence.proof import LogProof
from recorder.evidence.tiles import TILE, tile_name, tiles
from recorder.evidence.tree import Tree, leaf_hash
from recorder.log.keys import Keys
from tests.bundles import ORIGIN, honest_visit, keys_of

ALONE = keys_of("the recorder", sm2=False)


def log_key(keys: Keys = ALONE) -> NoteKey:
    """The log's key, under the log's name."""
    return NoteKey(f"{ORIGIN}/{keys.fingerprint[:16]}", keys.public_keys[0])


def tree_of(size: int, story: str = "") -> Tree:
    """A log of so many leaves; another story has other leaves."""
    tree = Tree()
    for n in range(size):
        tree.append(leaf_hash(f"{story}{n}".encode()))
    return tree


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


def listed(rng: Random, *days: set[int], visits: int = 3, lie: bool = False, prev: bool = True) -> dict[str, bytes]:
    """A store whose log has, after its visits, a manifest for each of `days` with the visits of these numbers.

    `lie`: the last manifest says another end; `prev`: the manifests are a chain.
    """
    recordings = {f"visit-{n}": honest_visit(rng, f"visit-{n}", ALONE) for n in range(visits)}
    objects = logged(recordings, rng)
    tree = Tree()
    newest = max(name for name in objects if "/checkpoint/" in name)
    root = newest.split("/")[1]
    for leaf in leaves_of(objects, int(newest[-12:])):
        tree.append(leaf)
    before: str | None = None
    for number, day in enumerate(days):
        entries = []
        for n in sorted(day):
            lines = lines_of(recordings[f"visit-{n}"])
            first, last = (sha256(line).hexdigest() for line in (lines[0], lines[-1]))
            wrong = lie and number == len(days) - 1
            entries.append(Entry(visit_hash(f"visit-{n}"), first, "0" * 64 if wrong else last, len(lines), []))
        name = f"2026-06-{number + 1:02d}"
        data = make_manifest(log_key().name, name, f"2026-06-{number + 2:02d}T00:01:00.000Z", before, entries).encoded
        before = sha256(data).hexdigest() if prev else None
        tree.append(leaf_hash(data))
        objects[f"manifests/{root}/{name}.jsonl"] = data
    return {**objects, **log_objects(tree, [tree.size])}


def leaves_of(objects: dict[str, bytes], size: int) -> list[bytes]:
    """The leaf hashes of a log, from its tiles."""
    root = next(name for name in objects if "/tile/0/" in name).split("/tile/")[0]
    found: list[bytes] = []
    for number in range(-(-size // TILE)):
        width = min(TILE, size - number * TILE)
        name = f"{root}/tile/0/{tile_name(number)}"
        data = objects.get(name) or objects[f"{name}.p/{width}"]
        found += [data[at : at + 32] for at in range(0, 32 * width, 32)]
    return found


def chained(*told: tuple[str, Body, int]) -> list[bytes]:
    """Lines of a custody chain: (visit, what, minute). Nothing judges them here."""
    lines: list[bytes] = []
    last = sha256(f"teleconsult-custody-v1\n{ALONE.fingerprint[:16]}".encode()).hexdigest()
    for seq, (visit, body, minute) in enumerate(told):
        at = iso(datetime(2026, 5, 4, 9, tzinfo=UTC) + timedelta(minutes=minute))
        said = {"v": 1, "type": NAMES[type(body)], "visit": visit, "seq": seq, "at": at, "mono_us": seq, "prev": last}
        lines.append(canonical(said | {"body": to_builtins(body)}))
        last = sha256(lines[-1]).hexdigest()
    return lines


def kept(lines: list[bytes], batches: tuple[int, ...] = (0,), outside: int | None = None) -> dict[str, bytes]:
    """A store of one log that has this custody chain, in batches that begin there; line `outside` is not in the log."""
    tree = Tree()
    for number, line in enumerate(lines):
        tree.append(leaf_hash(b"another" if number == outside else line))
    objects = log_objects(tree, [tree.size])
    for begin, end in zip(batches, (*batches[1:], len(lines)), strict=True):
        objects[f"log/{ALONE.fingerprint[:16]}/custody/{begin:012d}.jsonl"] = b"".join(
            line + b"\n" for line in lines[begin:end]
        )
    return {**objects, f"recordings/v/keys/{ALONE.fingerprint}.pem": ALONE.public_keys[0].pem}
