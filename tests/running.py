"""What tests of runs share by import. A conftest cannot be imported: several bear that name, and the last one wins."""

from pathlib import Path

from colony.node.home import RunFolder


def folder_of(result):
    """The folder of a run, from its result."""
    return RunFolder(Path(result.folder))
