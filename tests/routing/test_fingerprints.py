"""Fingerprints: what is the same error, what is not, over a corpus of what tools print; and the laws of the rules."""

import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colony.primitives.limits import ERROR_CHARACTERS_MAX
from colony.routing import fingerprints
from colony.routing.fingerprints import fingerprint, normalised

CORPUS = tomllib.loads((Path(__file__).parent / "errors" / "corpus.toml").read_text("utf-8"))["group"]
UNSEEN = tomllib.loads((Path(__file__).parent / "errors" / "unseen.toml").read_text("utf-8"))["group"]


def marks(group):
    return {str(fingerprint(text)) for text in group["texts"]}


@pytest.mark.parametrize("group", [*CORPUS, *UNSEEN], ids=lambda group: group["name"])
def test_one_error_one_fingerprint(group):
    """The occasions of one error have one fingerprint, but for those that are known to be split."""
    assert (len(marks(group)) > 1) == group.get("split", False)


@pytest.mark.parametrize("group", CORPUS, ids=lambda group: group["name"])
def test_types(group):
    """Each error has the type that a person would give it."""
    assert {fingerprint(text).type for text in group["texts"]} == {group["type"]}


def test_no_collision():
    """No two groups of the corpus share a fingerprint."""
    names = defaultdict(set)
    for group in [*CORPUS, *UNSEEN]:
        for mark in marks(group):
            names[mark].add(group["name"])
    assert not [found for found in names.values() if len(found) > 1]


WORDS = (
    "error failed ' \" ` / \\ : . , 1 23 0x1f a1b2c3d line at <path> [ ] ( ) @ - + \n \t Traceback /tmp/x.py x.py:3 5s",
    "http://a.b/c a@b.org 12:30:01 2026-11-21 10.0.0.1:80 errno 2 status 404 E0308 localhost:1 \x1b[31m \u2018 \u2019",
)
pieces = st.sampled_from(
    [*" ".join(WORDS).split(" "), "Traceback (most recent call last):\n", "\nValueError: ", " ", "  File "]
)


@given(st.lists(pieces, max_size=40).map("".join) | st.lists(pieces, max_size=40).map(" ".join) | st.text(max_size=200))
def test_idempotent(text):
    """A normalised text is its own normal form, so a stored one can be fingerprinted again."""
    once = normalised(text)
    assert normalised(once) == once
    assert str(fingerprint(once)) == str(fingerprint(text))


numbers = st.integers(4, 10**9)
names = st.from_regex(r"[a-z]{1,8}", fullmatch=True)


@given(numbers, numbers, names, names, names)
def test_insensitive_to_what_is_replaced(first, second, folder, name, quoted):
    """Paths, lines, numbers, addresses, durations, process ids, times, ids and quoted values do not count; words do."""
    plain = normalised("error in /a/b.py:1 (pid 7) at 0xff after 3s on 10.0.0.1:80: 'x' 12:00:00 v1.2.3 is bad")
    text = (
        f"ERROR in /{folder}/{name}.py:{first} (pid {second}) at {first:#x} after {second}s "
        f"on 10.9.8.7:{first % 60000}: '{quoted}' {first % 24:02}:{second % 60:02}:00 v{first}.{second} is bad"
    )
    assert normalised(text) == plain
    assert normalised(text.replace("bad", "good")) != plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("error[E0308]: mismatched types", "error[E0382]: mismatched types"),
        ("[Errno 2] failed", "[Errno 13] failed"),
        ("HTTP/1.1 404 error", "HTTP/1.1 500 error"),
        ("job failed with exit code 1", "job failed with exit code 137"),
        ("error TS2304: cannot", "error TS2322: cannot"),
    ],
)
def test_codes_count(one, other):
    """Numbers that say which error it is are kept."""
    assert normalised(one) != normalised(other)


def test_a_commit_and_a_process_are_the_same_to_nobody():
    """A SHA, an address and a UUID are replaced; a word that could be hexadecimal is not."""
    sha, uuid = "4f9e2d1c0b8a", "123e4567-e89b-12d3-a456-426614174000"
    assert normalised(f"error: {sha} and {uuid} at 0x1F") == "error: <number> and <id> at <number>"
    assert normalised("error: facade defaced") == "error: facade defaced"


def test_the_last_traceback_counts():
    """Of a chain of exceptions the last one is the error; what was printed before does not matter."""
    one = "noise 1\nTraceback (most recent call last):\n  File \"a\", line 1\nKeyError: 'a'\n"
    two = 'Traceback (most recent call last):\n  File "b", line 2\nValueError: bad\n'
    assert normalised(one + "\nDuring handling of the above exception, another exception occurred:\n\n" + two) == (
        "valueerror: bad"
    )


def test_frames_and_repeats_do_not_count():
    """Frames of a stack are left out even where a name in them sounds like an error, and repeats count once."""
    text = "error: x is missing\nerror: x is missing\n    at ErrorHandler.fail(Error.java:3)\nplain line"
    assert normalised(text) == "error: x is missing"


def test_long_texts():
    """Only the end of a long text counts, and only so many lines; nothing is long."""
    end = "\nfatal: the end"
    assert normalised("x " * ERROR_CHARACTERS_MAX + end) == "fatal: the end"
    letters = "abcdefghijkl"
    many = normalised("\n".join(f"error {letter} {'y' * 1000}" for letter in letters))
    assert len(many.splitlines()) == fingerprints.LINES_MAX
    assert max(map(len, many.splitlines())) <= fingerprints.LINE_CHARACTERS_MAX
    line = "error " + "x" * fingerprints.LINE_READ_CHARACTERS_MAX
    assert normalised(f"{line} at /a/b.py") == normalised(line)


def test_nothing():
    """An empty error has a fingerprint too."""
    assert str(fingerprint("")).startswith("unknown:")


def test_versions_never_meet(monkeypatch):
    """Other rules give other fingerprints, even where the text comes out the same."""
    before = str(fingerprint("fatal: x"))
    monkeypatch.setattr(fingerprints, "VERSION", 2)
    assert str(fingerprint("fatal: x")) != before


def test_a_fingerprint_that_stays():
    """What was stored by this version is found again by it."""
    assert str(fingerprint("bash: line 3: foo: command not found")) == "cmd:c9383979fa68feee"
