"""Keys of identities: secp256k1 ECDSA signatures, did:key names, derivation, and one stored secret per replica.

What this file does not do: rotate a key (a did:key cannot; a delegation record ties two keys together), encrypt the
stored secret, or decide whom to trust.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import os
import platform
import re
import stat
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from coincurve import PrivateKey, PublicKey

from colony.primitives.encoding import base58_decode, base58_encode
from colony.primitives.errors import EncodingError, KeyFileError
from colony.primitives.limits import PUBLIC_KEYS_CACHED_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DID_PREFIX: Final = "did:key:z"
_MULTICODEC: Final = b"\xe7\x01"  # secp256k1-pub, as a varint
_DID: Final = re.compile(r"did:key:zQ3s[1-9A-HJ-NP-Za-km-z]{45}", re.ASCII)
_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


class Key:
    """A secp256k1 secret and the did:key of its public half. Showing, comparing or copying it never shows the secret.

    Raises:
        ValueError: `secret` is not 32 bytes that stand for a number from 1 to the order of the group less one.
    """

    __slots__ = ("_private", "did")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < _ORDER:
            raise ValueError("a secp256k1 secret is 32 bytes, neither zero nor beyond the order of the group")
        self._private = PrivateKey(secret)
        self.did: Final = _did(self._private.public_key.format(compressed=True))

    @classmethod
    def derive(cls, secret: bytes, label: str) -> Key:
        """Return the key that `secret` and `label` determine (HKDF with SHA-256, RFC 5869; `label` is its info).

        The counter in the info moves on in the one case in 2**128 where the output is no valid secret.
        """
        pseudorandom = hmac.digest(b"colony/key/1", secret, "sha256")
        for counter in range(256):
            info = label.encode() + bytes([counter])
            with contextlib.suppress(ValueError):
                return cls(hmac.digest(pseudorandom, info + b"\x01", "sha256"))
        raise AssertionError("256 outputs of HKDF in a row are no secrets")

    def child(self, label: str) -> Key:
        """Return the key of a part of this identity, such as one agent; it tells nothing about this key."""
        return Key.derive(self._private.secret, label)

    def sign(self, digest: bytes) -> bytes:
        """Return the 64-byte compact signature (r, s; low s; nonce by RFC 6979) of a 32-byte digest.

        Raises:
            ValueError: `digest` is not 32 bytes.
        """
        signature: bytes = self._private.sign_recoverable(digest, hasher=None)
        return signature[:64]

    def __repr__(self) -> str:
        return f"Key({self.did})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.did == other.did

    def __hash__(self) -> int:
        return hash(self.did)

    def __reduce__(self) -> Any:
        raise TypeError("a key is never pickled; derive it again where it is needed")


def verify(did: str, digest: bytes, signature: bytes) -> bool:
    """Tell whether `signature` (64 bytes, low s) of `digest` (32 bytes) is by the key of `did`; malformed is False."""
    if len(signature) != 64 or len(digest) != 32:
        return False
    try:
        return bool(_public_key(did).verify(_der(signature), digest, hasher=None))
    except ValueError:
        return False


def is_did(text: str) -> bool:
    """Tell whether `text` has the shape of a secp256k1 did:key (its point is checked when a signature is)."""
    return _DID.fullmatch(text) is not None


class KeyStore:
    """Secrets in a directory outside of what people copy: one file for each replica of a home folder.

    The file's name is a digest of the machine, the home's real path and its inode: a copied, moved or cloned home finds
    no file of its own and gets another key, so two replicas never write one author's chain.
    """

    def __init__(self, directory: Path, *, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._directory = directory
        self._entropy = entropy

    def replica_key(self, home: Path, *, machine: str) -> Key:
        """Return the key of the replica at `home` on `machine`, making it at the first call.

        Raises:
            KeyFileError: the secret can be read by others, is damaged, or cannot be written.
            FileNotFoundError: there is no `home`.
        """
        real = home.resolve(strict=True)
        place = "\0".join((machine, str(real), str(real.stat().st_ino)))
        path = self._directory / f"{hashlib.sha256(place.encode()).hexdigest()[:32]}.key"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_if_open(self._directory, self._directory.lstat())
            with contextlib.suppress(FileExistsError):
                self._create(path)
            return _read_key(path)
        except OSError as error:
            raise KeyFileError(f"the key file {path} cannot be kept: {error.strerror}; mend the directory") from error

    def _create(self, path: Path) -> None:
        """Write a new secret so that no other process ever reads half a file, and the first of two writers wins."""
        if path.exists():
            return
        draft = path.with_suffix(f".{os.getpid()}.{self._entropy(8).hex()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_valid_secret(self._entropy).hex().encode() + b"\n")
                file.flush()
                os.fsync(descriptor)
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_directory(path.parent)


def default_key_directory(environ: Mapping[str, str]) -> Path:
    """Return where keys live: $COLONY_KEYS, else $XDG_STATE_HOME/colony/keys, else ~/.local/state/colony/keys."""
    if chosen := environ.get("COLONY_KEYS"):
        return Path(chosen)
    state = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".local" / "state"
    return Path(state) / "colony" / "keys"


def machine_id() -> str:
    """Return what names this machine: systemd's machine id, else the network card's address, else the host's name."""
    for path in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        with contextlib.suppress(OSError):
            if text := path.read_text().strip():
                return text
    address = uuid.getnode()
    return platform.node() if address >> 40 & 1 else f"{address:012x}"  # that bit is set in made-up addresses


def _did(public_key: bytes) -> str:
    return _DID_PREFIX + base58_encode(_MULTICODEC + public_key)


@functools.lru_cache(maxsize=PUBLIC_KEYS_CACHED_MAX)
def _public_key(did: str) -> PublicKey:
    """Return the point that `did` names.

    Raises:
        ValueError: it names none.
    """
    try:
        data = base58_decode(did.removeprefix(_DID_PREFIX)) if is_did(did) else b""
    except EncodingError as error:
        raise ValueError(str(error)) from error
    if len(data) != 35 or not data.startswith(_MULTICODEC):
        raise ValueError(f"{did!r} is no secp256k1 did:key")
    return PublicKey(data[2:])


def _der(signature: bytes) -> bytes:
    """Return a compact signature in the DER form that the library takes (SEC 1, C.5)."""
    r, s = _der_integer(signature[:32]), _der_integer(signature[32:])
    return bytes((0x30, len(r) + len(s))) + r + s


def _der_integer(data: bytes) -> bytes:
    digits = data.lstrip(b"\0") or b"\0"
    if digits[0] & 0x80:
        digits = b"\0" + digits
    return bytes((0x02, len(digits))) + digits


def _valid_secret(entropy: Callable[[int], bytes]) -> bytes:
    while True:
        secret = entropy(32)
        with contextlib.suppress(ValueError):
            Key(secret)
            return secret


def _read_key(path: Path) -> Key:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        _refuse_if_open(path, os.fstat(descriptor))
        text = file.read(66)
    try:
        return Key(bytes.fromhex(text.decode("ascii")))
    except ValueError as error:
        raise KeyFileError(f"{path} holds no secret; restore it, or remove it to get a new identity") from error


def _refuse_if_open(path: Path, status: os.stat_result) -> None:
    """Refuse what somebody else owns or may read or write."""
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.geteuid():
        raise KeyFileError(f"{path} belongs to another user; choose another place with COLONY_KEYS")
    if mode & 0o077:
        raise KeyFileError(f"{path} is open to others (mode {mode:04o}); close it with: chmod go-rwx {path}")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
