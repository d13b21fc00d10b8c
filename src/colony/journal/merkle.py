"""The hash tree of RFC 6962 over a growing list, with inclusion and consistency proofs and their verifiers.

A leaf of the journal is SHA-256(0x00 || record bytes || signature), a node SHA-256(0x01 || left || right), the empty
tree SHA-256 of nothing. What this file does not do: sign a root, store the tree, or know what a record is.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from colony.primitives.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HASH_BYTES: Final = 32
_EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one leaf, 32 bytes; `entry` is the leaf's content."""
    return sha256(b"\x00" + entry).digest()


class MerkleTree:
    """All complete nodes of a tree, level by level: 64 bytes per leaf. Any earlier size can be asked about."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels = [bytearray()]
        self.extend(leaves)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0]) // _HASH_BYTES

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes, 32 bytes each, and the nodes that they complete."""
        level = self._levels[0]
        level += b"".join(leaves)
        height = 0
        while (pairs := len(level) // (2 * _HASH_BYTES)) > 0:
            height += 1
            if height == len(self._levels):
                self._levels.append(bytearray())
            parents = self._levels[height]
            for start in range(2 * len(parents), pairs * 2 * _HASH_BYTES, 2 * _HASH_BYTES):
                parents += sha256(b"\x01" + level[start : start + 2 * _HASH_BYTES]).digest()
            level = parents

    def truncate(self, size: int) -> None:
        """Forget all leaves from number `size` on: an append that did not become durable."""
        for height, level in enumerate(self._levels):
            del level[(size >> height) * _HASH_BYTES :]

    def leaf(self, index: int) -> bytes:
        """Return the hash of leaf `index`."""
        return self._node(0, index)

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first `size` leaves (all of them if None).

        Raises:
            UsageError: there are fewer leaves.
        """
        return self._range(0, self._known(size))

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the audit path of leaf `index` in the tree of `size` leaves, from the leaf up (RFC 6962, 2.1.1).

        Raises:
            UsageError: no such leaf.
        """
        low, high = 0, self._known(size)
        if not 0 <= index < high:
            raise UsageError(f"there is no leaf {index} in a tree of {high}")
        path = []
        while high - low > 1:
            middle = low + _left_size(high - low)
            if index < middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return tuple(reversed(path))

    def consistency(self, old_size: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the proof that the first `old_size` leaves are a prefix of the first `size` (RFC 6962, 2.1.2).

        Raises:
            UsageError: `old_size` lies outside 0..size.
        """
        low, high = 0, self._known(size)
        if not 0 <= old_size <= high:
            raise UsageError(f"there is no consistency from {old_size} leaves to {high}")
        if old_size == 0:
            return ()
        path = []
        while high != old_size:
            middle = low + _left_size(high - low)
            if old_size <= middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        if low:
            path.append(self._range(low, high))
        return tuple(reversed(path))

    def _known(self, size: int | None) -> int:
        known = self.size
        if size is None:
            return known
        if not 0 <= size <= known:
            raise UsageError(f"the tree has {known} leaves, not {size}")
        return size

    def _node(self, height: int, index: int) -> bytes:
        start = index * _HASH_BYTES
        return bytes(self._levels[height][start : start + _HASH_BYTES])

    def _range(self, low: int, high: int) -> bytes:
        """Return the hash of leaves low..high-1, a range that the recursion of RFC 6962 visits.

        Such a range is a row of complete subtrees of falling size, one for each bit of its length.
        """
        peaks = []
        for height in reversed(range((high - low).bit_length())):
            if (high - low) >> height & 1:
                peaks.append(self._node(height, low >> height))
                low += 1 << height
        if not peaks:
            return _EMPTY_ROOT
        root = peaks.pop()
        while peaks:
            root = _parent(peaks.pop(), root)
        return root


def verify_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether `leaf` (its hash) is number `index` of the `size` leaves under `root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = _parent(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = _parent(node, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(*, old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether the tree under `root` begins with the one under `old_root` (RFC 9162, 2.1.4.2)."""
    if old_size == size:
        return not path and old_root == root
    if old_size == 0:
        return not path and old_root == _EMPTY_ROOT
    if not 0 < old_size < size or not path:
        return False
    position, last, siblings = old_size - 1, size - 1, list(path)
    while position & 1:
        position, last = position >> 1, last >> 1
    old_node = new_node = siblings.pop(0) if position else old_root
    for sibling in siblings:
        if last == 0:
            return False
        if position & 1 or position == last:
            old_node, new_node = _parent(sibling, old_node), _parent(sibling, new_node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_node = _parent(new_node, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old_node == old_root and new_node == root


def _parent(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _left_size(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
