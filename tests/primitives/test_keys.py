"""Keys: names, signatures, derivation, and the store of one secret per replica."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colony.primitives import keys
from colony.primitives.encoding import base58_encode
from colony.primitives.errors import KeyFileError
from colony.primitives.keys import Key, KeyStore, default_key_directory, is_did, machine_id, verify

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = Key(bytes.fromhex("9085d2bef69286a6cbb51623c8fa258629945cd55ca705cc4e66700396894e0c"))
DIGEST = hashlib.sha256(b"a statement").digest()

VECTORS = [
    (
        "9085d2bef69286a6cbb51623c8fa258629945cd55ca705cc4e66700396894e0c",
        "okFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
    ),
    (
        "f0f4df55a2b3ff13051ea814a8f24ad00f2e469af73c363ac7e9fb999a9072ed",
        "txV1FrJfhqE1dvxYRcCknWNjHc3c5X1y3ZSoPDi2aur2",
    ),
    (
        "6b0b91287ae3348f8c2f2552d766f30e3604867e34adc37ccbb74a8e6b893e02",
        "Zc2QzApp2oymGvQbzP8eKheVshBHbU4ZYjeXqwSKEn6N",
    ),
    (
        "c0a6a7c560d37d7ba81ecee9543721ff48fea3e0fb827d42c1868226540fac15",
        "adCps5JLAHcZiuX5YUtWHHL8ysBJqFLWvjZDKAWUBGzy",
    ),
    (
        "175a232d440be1e0788f25488a73d9416c04b6f924bea6354bf05dd2f1a75133",
        "ptjE6JwdkeKN4fcpnYQY3m9Cet3NiHdAfpvSUZBFoKBj",
    ),
]


@pytest.mark.parametrize(("secret", "name"), VECTORS)
def test_the_published_names(secret, name):
    """The five published secp256k1 vectors of did:key."""
    assert Key(bytes.fromhex(secret)).did == "did:key:zQ3sh" + name


@given(st.binary(min_size=32, max_size=32))
def test_a_signature_is_verified_by_name_alone(digest):
    """Whoever knows the did:key verifies what its key signed, and nothing else."""
    signature = KEY.sign(digest)
    assert len(signature) == 64
    assert int.from_bytes(signature[32:], "big") <= ORDER // 2
    assert verify(KEY.did, digest, signature)
    assert KEY.sign(digest) == signature
    assert not verify(Key.derive(b"other", "").did, digest, signature)


@given(st.integers(0, 511))
def test_any_flipped_bit_breaks_a_signature(bit):
    """A signature with one bit flipped, in r or in s, is False and never an error."""
    broken = bytearray(KEY.sign(DIGEST))
    broken[bit // 8] ^= 1 << bit % 8
    assert not verify(KEY.did, DIGEST, bytes(broken))


def test_the_high_half_of_s_is_refused():
    """The mirrored signature, which bare ECDSA would accept, is refused: signatures are not malleable."""
    signature = KEY.sign(DIGEST)
    high = ORDER - int.from_bytes(signature[32:], "big")
    assert not verify(KEY.did, DIGEST, signature[:32] + high.to_bytes(32, "big"))


@pytest.mark.parametrize(
    ("did", "digest", "signature"),
    [
        (KEY.did, DIGEST, b""),
        (KEY.did, DIGEST, bytes(64)),
        (KEY.did, DIGEST, b"\xff" * 64),
        (KEY.did, DIGEST[:31], KEY.sign(DIGEST)),
        ("", DIGEST, KEY.sign(DIGEST)),
        (KEY.did[:-1], DIGEST, KEY.sign(DIGEST)),
        (KEY.did + "\n", DIGEST, KEY.sign(DIGEST)),
        ("did:key:z" + base58_encode(b"\xe7\x01\x02" + b"\xff" * 32), DIGEST, KEY.sign(DIGEST)),
        ("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK", DIGEST, KEY.sign(DIGEST)),
    ],
)
def test_malformed_is_false(did, digest, signature):
    """Malformed names, digests and signatures, and points off the curve, are not signed by anybody."""
    assert verify(did, digest, signature) is False


@pytest.mark.parametrize("secret", [b"", bytes(32), b"\xff" * 32, ORDER.to_bytes(32, "big"), b"\x01" * 31])
def test_what_is_no_secret_is_refused(secret):
    """Zero, the order of the group and beyond, and other lengths are no secrets."""
    with pytest.raises(ValueError, match="secp256k1 secret"):
        Key(secret)


def test_derivation_is_determined_by_secret_and_label():
    """The same secret and label give the same key, other ones another; labels and secrets do not run together."""
    pairs = [(b"s", "a"), (b"s", "b"), (b"t", "a"), (b"sa", ""), (b"", "sa"), (b"s", "")]
    assert len({Key.derive(secret, label) for secret, label in pairs}) == len(pairs)
    assert Key.derive(b"s", "a") == Key.derive(b"s", "a")
    assert KEY.child("agent 1") == KEY.child("agent 1") != KEY.child("agent 2")


def test_derivation_is_hkdf():
    """The derived secret is HKDF-SHA256 of RFC 5869, computed here from its definition with hashlib alone."""

    def hmac_sha256(key, message):
        key = key.ljust(64, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
        return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()

    expected = hmac_sha256(hmac_sha256(b"colony/key/1", b"secret"), b"label\x00\x01")
    assert Key.derive(b"secret", "label") == Key(expected)


def test_a_key_never_shows_its_secret():
    """Neither repr, str nor attributes show the secret, and a key cannot be pickled."""
    secret = b"\x11" * 32
    key = Key(secret)
    for shown in (repr(key), str(key), f"{key}", str(vars(type(key)))):
        assert secret.hex() not in shown
        assert str(secret) not in shown
    assert repr(key) == f"Key({key.did})"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_parsed_names_are_cached_with_a_bound():
    """Verification keeps a bounded number of parsed keys."""
    assert keys._public_key.cache_info().maxsize == keys.PUBLIC_KEYS_CACHED_MAX


@given(st.text())
@settings(max_examples=50)
def test_only_the_shape_of_a_did_is_a_did(text):
    """Arbitrary text is no name of a key."""
    assert is_did(KEY.did)
    assert not is_did(text)
    assert not is_did(KEY.did + text + " ")


class TestKeyStore:
    """One secret per replica."""

    @pytest.fixture
    def home(self, tmp_path):
        (tmp_path / "home").mkdir()
        return tmp_path / "home"

    @pytest.fixture
    def store(self, tmp_path):
        return KeyStore(tmp_path / "state" / "keys")

    def test_a_replica_keeps_its_key(self, store, home):
        """The same home on the same machine gets the same key, whatever path leads to it."""
        key = store.replica_key(home, machine="m")
        assert store.replica_key(home, machine="m") == key
        (home.parent / "link").symlink_to(home)
        assert store.replica_key(home.parent / "link", machine="m") == key

    def test_a_copy_is_another_replica(self, store, home):
        """A copied home, another machine, and a home made anew at the same path each get another key."""
        found = [store.replica_key(home, machine="m"), store.replica_key(home, machine="n")]
        shutil.copytree(home, home.parent / "copy")
        found.append(store.replica_key(home.parent / "copy", machine="m"))
        home.rename(home.parent / "moved")
        home.mkdir()
        found.append(store.replica_key(home, machine="m"))
        assert len(set(found)) == 4

    def test_secrets_are_closed_to_others(self, store, home):
        """The directory is 0700 and the file 0600, whatever the umask."""
        before = os.umask(0)
        try:
            store.replica_key(home, machine="m")
        finally:
            os.umask(before)
        (path,) = (home.parent / "state" / "keys").iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
    def test_an_open_secret_is_refused(self, store, home, mode):
        """A key file that others may read is refused, and the message says how to close it."""
        store.replica_key(home, machine="m")
        (path,) = (home.parent / "state" / "keys").iterdir()
        path.chmod(mode)
        with pytest.raises(KeyFileError, match="chmod go-rwx"):
            store.replica_key(home, machine="m")

    def test_an_open_directory_is_refused(self, store, home):
        """A directory in which others may put files is refused."""
        store.replica_key(home, machine="m")
        (home.parent / "state" / "keys").chmod(0o777)
        with pytest.raises(KeyFileError, match="open to others"):
            store.replica_key(home, machine="m")

    @pytest.mark.parametrize("content", [b"", b"00" * 32, b"zz" * 32, b"\xff\xfe", b"11" * 40])
    def test_a_damaged_secret_is_refused(self, store, home, content):
        """A file that holds no secret is reported, not replaced."""
        store.replica_key(home, machine="m")
        (path,) = (home.parent / "state" / "keys").iterdir()
        path.write_bytes(content)
        with pytest.raises(KeyFileError, match="holds no secret"):
            store.replica_key(home, machine="m")
        assert path.read_bytes() == content

    def test_a_link_is_not_followed(self, store, home):
        """A key file that is a link somewhere else is refused."""
        store.replica_key(home, machine="m")
        (path,) = (home.parent / "state" / "keys").iterdir()
        path.rename(home.parent / "elsewhere")
        path.symlink_to(home.parent / "elsewhere")
        with pytest.raises(KeyFileError):
            store.replica_key(home, machine="m")

    def test_the_first_of_two_writers_wins(self, store, home):
        """A process that finds a key made in between takes that one, and leaves no draft behind."""
        rival = KeyStore(home.parent / "state" / "keys")
        won = []

        def entropy(count):
            if not won:
                won.append(None)
                won[0] = rival.replica_key(home, machine="m")
            return os.urandom(count)

        late = KeyStore(home.parent / "state" / "keys", entropy=entropy)
        assert late.replica_key(home, machine="m") == won[0]
        assert len(list((home.parent / "state" / "keys").iterdir())) == 1

    def test_a_place_that_cannot_be_written_is_reported(self, home):
        """Where the directory cannot be made, the error is ours."""
        (home.parent / "file").write_text("")
        with pytest.raises(KeyFileError, match="cannot be kept"):
            KeyStore(home.parent / "file" / "keys").replica_key(home, machine="m")

    def test_entropy_that_is_no_secret_is_drawn_again(self, home):
        """An outcome outside the group is drawn again."""
        draws = iter([b"\x07" * 8, bytes(32), b"\x01" * 32])
        store = KeyStore(home.parent / "state" / "keys", entropy=lambda _: next(draws))
        assert store.replica_key(home, machine="m") == Key(b"\x01" * 32)


def test_where_keys_live():
    """$COLONY_KEYS, else the state directory of the user."""
    assert default_key_directory({"COLONY_KEYS": "/k", "HOME": "/h"}) == Path("/k")
    assert default_key_directory({"XDG_STATE_HOME": "/s", "HOME": "/h"}) == Path("/s/colony/keys")
    assert default_key_directory({"HOME": "/h"}) == Path("/h/.local/state/colony/keys")


def test_a_machine_has_one_name():
    """The machine's name does not change between calls."""
    assert machine_id() == machine_id() != ""
