"""The hash tree of RFC 6962: published roots, every proof up to 70 leaves, forgeries."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.journal.merkle import MerkleTree, leaf_hash, verify_consistency, verify_inclusion
from colony.primitives.errors import UsageError

PUBLISHED_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
PUBLISHED_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
LEAVES = [leaf_hash(bytes([index])) for index in range(70)]
TREE = MerkleTree(LEAVES)


def by_definition(leaves):
    """The tree hash as the RFC defines it, recursively."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return sha256(b"\x01" + by_definition(leaves[:half]) + by_definition(leaves[half:])).digest()


@pytest.mark.parametrize(("size", "root"), PUBLISHED_ROOTS.items())
def test_the_published_roots(size, root):
    """The eight published roots of the reference log."""
    assert MerkleTree(leaf_hash(bytes.fromhex(leaf)) for leaf in PUBLISHED_LEAVES[:size]).root().hex() == root


def test_the_root_at_every_size():
    """One tree knows the root of each of its earlier sizes, equal to the definition."""
    assert [TREE.root(size) for size in range(71)] == [by_definition(LEAVES[:size]) for size in range(71)]


@given(st.lists(st.integers(0, 20), max_size=8), st.integers(0, 70))
def test_growth_in_parts_and_forgetting(parts, kept):
    """However a tree grew, and whatever was cut off again, its root depends on its leaves alone."""
    tree = MerkleTree(LEAVES)
    tree.truncate(kept)
    assert tree.root() == TREE.root(kept)
    leaves = LEAVES[:kept]
    for part in parts:
        more = [leaf_hash(b"more %d" % index) for index in range(len(leaves), len(leaves) + part)]
        tree.extend(more)
        leaves += more
    assert tree.size == len(leaves)
    assert tree.root() == by_definition(leaves)


def test_every_inclusion_proof_up_to_70_leaves():
    """Each leaf of each tree is proven; the proof fails for another leaf, index, size or root."""
    for size in range(1, 71):
        root = TREE.root(size)
        for index in range(size):
            path = TREE.inclusion(index, size)
            claim = {"index": index, "size": size, "path": path, "root": root}
            assert verify_inclusion(LEAVES[index], **claim)
            assert not verify_inclusion(LEAVES[(index + 1) % 70], **claim)
            assert not verify_inclusion(LEAVES[index], **claim | {"index": (index + 1) % size}) or size == 1
            assert not verify_inclusion(LEAVES[index], **claim | {"root": by_definition([])})
            assert not verify_inclusion(LEAVES[index], **claim | {"path": (*path, root)})
            assert not path or not verify_inclusion(LEAVES[index], **claim | {"path": path[:-1]})


def test_every_consistency_proof_up_to_70_leaves():
    """Each earlier size is proven a prefix of each later one; a changed root or path is refused."""
    for size in range(71):
        for old in range(size + 1):
            path = TREE.consistency(old, size)
            claim = {"old_size": old, "old_root": TREE.root(old), "size": size, "root": TREE.root(size), "path": path}
            assert verify_consistency(**claim)
            assert not verify_consistency(**claim | {"path": (*path, LEAVES[0])})
            assert not verify_consistency(**claim | {"old_root": LEAVES[69]})
            if 0 < old < size:
                assert not verify_consistency(**claim | {"root": LEAVES[69]})
                assert not verify_consistency(**claim | {"path": path[:-1]})
                assert not verify_consistency(**claim | {"path": (LEAVES[69], *path[1:])})


def test_a_rewritten_past_has_no_proof():
    """No proof of the new tree makes a tree with another first leaf its prefix."""
    rewritten = MerkleTree([leaf_hash(b"forged"), *LEAVES[1:]])
    for old in range(1, 70):
        proof = {"old_size": old, "size": 70, "root": rewritten.root(), "path": rewritten.consistency(old)}
        assert not verify_consistency(old_root=TREE.root(old), **proof)


@given(st.integers(0, 69), st.data())
def test_any_flipped_bit_breaks_a_proof(index, data):
    """One flipped bit anywhere in a path makes the proof false."""
    path = list(TREE.inclusion(index))
    broken = data.draw(st.integers(0, len(path) - 1))
    bit = data.draw(st.integers(0, 255))
    path[broken] = (int.from_bytes(path[broken], "big") ^ 1 << bit).to_bytes(32, "big")
    assert not verify_inclusion(LEAVES[index], index=index, size=70, path=path, root=TREE.root())


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (0, 71)])
def test_what_is_not_there_is_not_proven(index, size):
    """Asking for a leaf or a size beyond the tree is the caller's error, and no such claim is verified."""
    with pytest.raises(UsageError):
        TREE.inclusion(index, size)
    assert not verify_inclusion(LEAVES[0], index=index, size=size, path=(), root=LEAVES[0])


def test_a_consistency_from_the_future_is_refused():
    """A tree is not a prefix of a smaller one."""
    with pytest.raises(UsageError):
        TREE.consistency(71)
    assert not verify_consistency(old_size=70, old_root=TREE.root(), size=69, root=TREE.root(69), path=())
