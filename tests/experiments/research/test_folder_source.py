"""A folder as a source: what is found in it, what links lead to, and what is left out or unreadable."""

import os
from pathlib import Path

import pytest

from colony.experiments.research import folder as module
from colony.experiments.research.documents import Document, Unreadable
from colony.experiments.research.folder import FolderSource
from colony.primitives.errors import LimitError, UsageError


@pytest.fixture
def folder(tmp_path):
    """A folder of a few documents, beside a file that is not in it."""
    place = tmp_path / "papers"
    (place / "deep" / "er").mkdir(parents=True)
    (place / "a.md").write_text("# A\n\nSee [b](deep/b.html#x), [c](../secret.txt), [d](https://example.org/d.md).\n")
    (place / "deep" / "b.html").write_text("<p>Back to <a href='../a.md'>a</a>.</p>")
    (place / "deep" / "er" / "c_d.py").write_text('"""Text."""\nimport deep.e\nfrom . import f\n')
    (place / "deep" / "e.py").write_text('"""Text."""\n')
    (place / "deep" / "er" / "f.py").write_text('"""Text."""\n')
    (place / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "secret.txt").write_text("Not in the folder.")
    return place


def test_entries(folder):
    """Documents of known kinds, in the order of their paths, with the words of the path as title."""
    entries = FolderSource(folder).entries()
    assert [entry.source for entry in entries] == ["a.md", "deep/b.html", "deep/e.py", "deep/er/c_d.py", "deep/er/f.py"]
    assert entries[3].title == "deep er c d"


def test_links(folder):
    """Links inside the folder are followed, from pages and from imports; those that lead out of it are not."""
    source = FolderSource(folder)
    assert [link.source for link in source.read("a.md").links] == ["deep/b.html"]
    assert [link.source for link in source.read("deep/b.html").links] == ["a.md"]
    assert [link.source for link in source.read("deep/er/c_d.py").links] == ["deep/e.py", "deep/er/f.py"]


def test_every_place_is_in_the_file(folder):
    """A sentence stands in the line of the file that its location names."""
    (folder / "notes.txt").write_text(
        "\n\nA pipe carries bytes to a child. It has two\nends in two processes. Both of them must be closed.\n"
    )
    document = FolderSource(folder).read("notes.txt")
    lines = (folder / "notes.txt").read_text().splitlines()
    assert [(s.location.line, s.text) for s in document.prose] == [
        (3, "A pipe carries bytes to a child."),
        (3, "It has two ends in two processes."),
        (4, "Both of them must be closed."),
    ]
    for sentence in document.prose:
        assert sentence.text.split()[0] in lines[sentence.location.line - 1]
        assert document.at(sentence.location) == sentence.text


def test_symbolic_links_are_not_followed(folder, tmp_path):
    """Neither a linked file nor a linked folder is in the source, nor is a file that became a link since."""
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "out").symlink_to(tmp_path)
    source = FolderSource(folder)
    assert len(source.entries()) == 5
    (folder / "a.md").unlink()
    (folder / "a.md").symlink_to(tmp_path / "secret.txt")
    assert isinstance(source.read("a.md"), Unreadable)


def test_a_pipe_does_not_block(folder):
    """A file that is no file is not in the source."""
    os.mkfifo(folder / "pipe.txt")
    assert len(FolderSource(folder).entries()) == 5


def test_unreadable_files(folder, monkeypatch):
    """What has gone, is too large, or was never there is told with its reason."""
    source = FolderSource(folder)
    source.entries()
    (folder / "a.md").unlink()
    assert source.read("a.md").reason == "No such file or directory"
    assert source.read("../secret.txt").reason == "not in the folder"
    monkeypatch.setattr(module, "RESEARCH_DOCUMENT_BYTES_MAX", 5)
    assert source.read("deep/b.html").reason == "larger than 5 bytes"


def test_a_file_without_permission(folder, monkeypatch):
    """A file that may not be opened is told as such."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    source = FolderSource(folder)
    source.entries()
    monkeypatch.setattr(module.os, "open", refuse)
    assert source.read("a.md").reason == "Permission denied"


def test_a_missing_folder(tmp_path):
    """A folder that is not there is a usage error that names it; so is a file."""
    (tmp_path / "file.md").write_text("x")
    for path in (tmp_path / "none", tmp_path / "file.md"):
        with pytest.raises(UsageError, match=path.name):
            FolderSource(path).entries()


def test_too_many_documents(folder, monkeypatch):
    """There is a limit to how many."""
    monkeypatch.setattr(module, "RESEARCH_DOCUMENTS_MAX", 2)
    with pytest.raises(LimitError, match="5 documents"):
        FolderSource(folder).entries()


def test_names_that_cannot_be_shared(folder, monkeypatch):
    """Names too long for a variable, or with characters that nobody can print, are left out."""
    (folder / "a\nb.md").write_text("x")
    monkeypatch.setattr(module, "RESEARCH_SOURCE_CHARACTERS_MAX", 10)
    assert [entry.source for entry in FolderSource(folder).entries()] == ["a.md", "deep/e.py"]


def test_what_is_accepted(folder):
    """The caller may leave documents out."""
    source = FolderSource(folder, accepts=lambda path: path.endswith(".md"))
    assert [entry.source for entry in source.entries()] == ["a.md"]


def test_docstrings_of_the_running_python():
    """Every sentence of a real module stands in the line that its location names, and is found at its place."""
    place = Path(os.__file__).parent
    document = FolderSource(place, accepts=lambda path: path == "subprocess.py").read("subprocess.py")
    lines = (place / "subprocess.py").read_text().splitlines()
    assert isinstance(document, Document)
    assert len(document.prose) > 50
    for sentence in document.prose:
        assert sentence.text.split()[0] in lines[sentence.location.line - 1]
        assert document.at(sentence.location) == sentence.text
