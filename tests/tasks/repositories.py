"""What tests of the git carrier share: repositories in empty folders, keys, and a clock that ticks."""

from __future__ import annotations

import os
import subprocess

from colony.primitives.clock import ManualClock
from colony.primitives.keys import Key
from colony.tasks.shards.git import Git
from colony.tasks.shards.shards import Shards

ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
PERSON = {
    "GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.org",
}  # fmt: skip
START_MILLISECONDS = 1_790_000_000_000


def key(name):
    """The key of a replica, alike in every test."""
    return Key.derive(b"tests of the git carrier, no secret", name)


def git(place, *arguments, stdin=None):
    """Call git as a person would, and return what it printed."""
    command = ["git", "-C", str(place), *map(str, arguments)]
    result = subprocess.run(command, env=ENVIRON | PERSON, input=stdin, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def repository(place, *options):
    """A new repository, opened."""
    place.mkdir(parents=True)
    git(place, "init", "-q", "-b", "main", *options)
    return opened(place)


def clone(source, place, *options):
    """A clone of a repository, opened."""
    git(source, "clone", "-q", *options, source, place)
    return opened(place)


def opened(place):
    return Git(place, ENVIRON)


def shards(repository, **options):
    return Shards(repository, ManualClock(START_MILLISECONDS), **options)


def commit(repository, path="code.py", text="x = 1\n", message="Work"):
    """A commit on the branch that is checked out; returns its name."""
    place = repository.directory
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    (place / path).write_text(text)
    git(place, "add", path)
    git(place, "commit", "-q", "-m", message)
    return git(place, "rev-parse", "HEAD")


def drafts(*names):
    """Bodies of records that mean nothing here."""
    return [("task.added/1", {"tasks": [{"id": name, "title": f"Task {name}"}]}) for name in names]


def names(shard):
    """What the records of a shard are about, in any order."""
    return sorted(signed.record.body["tasks"][0]["id"] for signed in shard.records)
