"""The tree against the published vectors, and every proof against every way of being wrong."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder.evidence.tree import (
    ProofInvalid,
    Tree,
    check_consistency,
    check_inclusion,
    leaf_hash,
)
from tests.estate import tree_of

# Certificate Transparency's own vectors (RFC 6962 reference implementations).
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_roots_are_the_published_ones() -> None:
    tree = Tree()
    roots = [tree.root().hex()]
    for entry in ENTRIES:
        tree.append(leaf_hash(entry))
        roots.append(tree.root().hex())
    assert roots == ROOTS
    assert [tree.root(size).hex() for size in range(9)] == ROOTS


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 8, 13, 64, 100])
def test_every_leaf_proves_that_it_is_in_and_no_other_does(size: int) -> None:
    tree = tree_of(size)
    for index in range(size):
        proof = tree.inclusion(index)
        check_inclusion(leaf_hash(str(index).encode()), index, size, proof, tree.root())
        with pytest.raises(ProofInvalid):
            check_inclusion(leaf_hash(b"another"), index, size, proof, tree.root())
        if size > 1:
            with pytest.raises(ProofInvalid):
                check_inclusion(leaf_hash(str(index).encode()), (index + 1) % size, size, proof, tree.root())


@pytest.mark.parametrize("size", [1, 2, 3, 6, 8, 21, 33])
def test_every_older_tree_proves_to_be_a_prefix(size: int) -> None:
    tree = tree_of(size)
    for old in range(size + 1):
        check_consistency(old, tree.root(old), size, tree.root(), tree.consistency(old))


@given(st.integers(2, 60), st.data())
def test_a_rewritten_past_proves_nothing(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size - 1))
    honest = tree_of(size)
    forged = Tree()
    changed = data.draw(st.integers(0, old - 1))
    for number in range(size):
        forged.append(leaf_hash(b"forged" if number == changed else str(number).encode()))
    with pytest.raises(ProofInvalid):
        check_consistency(old, honest.root(old), size, forged.root(), forged.consistency(old))


def test_a_damaged_proof_proves_nothing() -> None:
    dice = random.Random(3)
    tree = tree_of(50)
    for _ in range(500):
        index, old = dice.randrange(50), dice.randrange(1, 50)
        for proof, check in (
            (
                tree.inclusion(index),
                lambda p, i=index: check_inclusion(leaf_hash(str(i).encode()), i, 50, p, tree.root()),
            ),
            (tree.consistency(old), lambda p, o=old: check_consistency(o, tree.root(o), 50, tree.root(), p)),
        ):
            bad = list(proof)
            place = dice.randrange(len(bad))
            bad[place] = dice.randbytes(32)
            for wrong in (bad, proof[:-1], [*proof, dice.randbytes(32)]):
                with pytest.raises(ProofInvalid):
                    check(wrong)
