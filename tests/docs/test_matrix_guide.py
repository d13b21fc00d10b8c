"""The guide to the task matrix is executed, line by line, in a repository."""

import shlex
import subprocess
import sys

from documents import ROOT, blocks

GUIDE = ROOT / "docs" / "guides" / "task-matrix.md"
WHO = {"GIT_AUTHOR_NAME": "ada", "GIT_AUTHOR_EMAIL": "a@example.org"}
WHO |= {"GIT_COMMITTER_NAME": "ada", "GIT_COMMITTER_EMAIL": "a@example.org"}


def test_every_line_of_the_guide_works(place):
    """In the order of the page, in a fresh repository; each command succeeds."""
    subprocess.run(["git", "init", "-q", str(place.folder)], check=True)
    ran = []
    for block in blocks(GUIDE, "console"):
        for line in block.splitlines():
            words = shlex.split(line)
            command = [sys.executable, "-m", *words] if words[0] == "colony" else words
            done = subprocess.run(
                command,
                cwd=place.folder,
                env={**place.environment, **WHO},
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            ran.append(line)
    assert len(ran) > 20
