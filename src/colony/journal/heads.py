"""Signed heads, and the witness: a small file beside a journal that remembers the last acknowledged one.

A head signs (size, root) of the tree, so whoever holds one can later prove that history was rewritten. The witness
finds the one damage that a database hides: a lost tail, such as a write-ahead log that was deleted or cut. What this
file does not do: know about databases, or find a forger who holds the key and rewrites journal and witness together.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from colony.primitives.encoding import canonical, parse
from colony.primitives.errors import ColonyError, JournalCorruptError
from colony.primitives.keys import verify
from colony.primitives.limits import INTEGER_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from colony.primitives.keys import Key

_WITNESS_BYTES: Final = 512  # one sector, so that no power cut leaves half of it


class SignedHead(msgspec.Struct, frozen=True):
    """The tree's `size` and `root` (32 bytes), signed by `author`, the key of the replica that keeps the journal."""

    size: int
    root: bytes
    author: str
    signature: bytes

    @classmethod
    def sign(cls, key: Key, *, size: int, root: bytes) -> SignedHead:
        """Return the head of `size` records under `root`, signed by `key`."""
        return cls(size, root, key.did, key.sign(_digest(key.did, size, root)))

    @classmethod
    def stored(cls, size: object, root: object, author: object, signature: object) -> SignedHead:
        """Return the head of fields that somebody may have changed.

        Raises:
            JournalCorruptError: a field has not its type.
        """
        if not (isinstance(size, int) and 0 <= size <= INTEGER_MAX and isinstance(author, str)):
            raise JournalCorruptError("a stored head has no size or author")
        if not (isinstance(root, bytes) and isinstance(signature, bytes)):
            raise JournalCorruptError("a stored head has no root or signature")
        return cls(size, root, author, signature)

    def is_signed(self) -> bool:
        """Tell whether `author` signed this head."""
        return verify(self.author, _digest(self.author, self.size, self.root), self.signature)


class Witness:
    """The file of the last acknowledged head, rewritten in place and never synced: it may fall behind its journal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def read(self) -> SignedHead | None:
        """Return the head that was last written, or None where there is none (a power cut may leave zeros).

        Raises:
            JournalCorruptError: the file holds no head signed by the author it names.
        """
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return None
        if not data.strip(b"\0"):
            return None
        try:
            fields = parse(data)
            root, signature = bytes.fromhex(fields["root"]), bytes.fromhex(fields["signature"])
            head = SignedHead.stored(fields["size"], root, fields["author"], signature)
            if head.is_signed():
                return head
        except (ColonyError, KeyError, TypeError, ValueError):
            pass  # the same refusal as for a wrong signature
        raise JournalCorruptError(f"{self._path} is no signed head; restore it from a copy, with its journal")

    def open(self) -> None:
        """Prepare for writing.

        Raises:
            OSError: the place cannot be written to.
        """
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)

    def write(self, head: SignedHead) -> None:
        """Replace the head.

        Raises:
            OSError: the disk refuses.
        """
        fields = {
            "author": head.author,
            "root": head.root.hex(),
            "signature": head.signature.hex(),
            "size": head.size,
        }
        os.pwrite(self._descriptor, canonical(fields).ljust(_WITNESS_BYTES), 0)

    def close(self) -> None:
        """Give the file back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _digest(author: str, size: int, root: bytes) -> bytes:
    """Return what is signed. The field `head` keeps the text apart from every record, which has no such field."""
    return sha256(canonical({"author": author, "head": 1, "root": root.hex(), "size": size})).digest()
