"""Each format gives its passages, with places where the text is found again in the file."""

import pytest

from colony.experiments.research.documents import Unreadable
from colony.experiments.research.formats import BY_SUFFIX, content_of
from colony.primitives import limits


def read(suffix, text):
    return content_of(text.encode() if isinstance(text, str) else text, BY_SUFFIX[suffix], "it")


def told(content):
    return [(p.line, p.heading, p.text) for p in content.passages]


def pdf(*pages, title="Notes"):
    """A PDF in the standard font, with the lines of each page."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, lines in enumerate(pages):
        shown = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
        stream = f"BT /F1 12 Tf 72 720 Td {shown} ET"
        resources = "/Resources << /Font << /F1 3 0 R >> >> /MediaBox [0 0 612 792]"
        objects.append(f"<< /Type /Page /Parent 2 0 R {resources} /Contents {5 + 2 * number} 0 R >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append(f"<< /Title ({title}) >>")
    body, offsets = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R /Info {size - 1} 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    return body + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode()


def test_text():
    """Paragraphs, list items and underlined headings, each with its line; code after a double colon is left out."""
    text = (
        "Pipes\n=====\n\nA pipe carries\n  bytes.\n\nFor example::\n\n    run(a. B c)\n\n- One item.\n- Two\n  items.\n"
    )
    assert told(read(".txt", text)) == [
        (4, "Pipes", "A pipe carries\nbytes."),
        (7, "Pipes", "For example::"),
        (11, "Pipes", "One item."),
        (12, "Pipes", "Two\nitems."),
    ]


def test_tables_and_sessions_in_text():
    """Columns and interpreter sessions are no passages."""
    assert told(read(".rst", "Name     Kind     Use\na        b        c\n\n>>> f(1)\n2\n\nSome text.")) == [
        (7, "", "Some text.")
    ]


def test_markdown():
    """Markup goes, lines stay; code and tables are left out; the first heading is the title."""
    text = "# Pipes *and* more\n\nA **pipe** carries\n`bytes`, see [here](other.md#x).\n\n```\ncode\n```\n"
    text += "\n| a | b |\n|---|---|\n| c | d |\n\n## Ends\n\n- It ends.\n"
    content = read(".md", text)
    assert told(content) == [
        (3, "Pipes and more", "A pipe carries\nbytes, see here."),
        (16, "Ends", "It ends."),
    ]
    assert content.title == "Pipes and more"
    assert content.links == (("other.md#x", "here"),)


def test_html():
    """Paragraphs with the line they begin in; scripts, styles, tables and navigation are left out, entities read."""
    text = (
        "<html><head><title>All\n on pipes</title><style>p {}</style></head>\n<body><nav><a href='up'>Up</a></nav>\n"
        "<h1>Pipes</h1>\n<p>\n A pipe &amp; its <b>bytes</b>,\n see <a href='b.html'>the\nother</a>.</p>"
        "<script>x</script><pre>code</pre><ul><li>One<li>Two</ul></body></html>"
    )
    content = read(".html", text)
    assert content.title == "All on pipes"
    assert told(content) == [
        (6, "Pipes", "A pipe & its bytes, see the other."),
        (8, "Pipes", "One"),
        (8, "Pipes", "Two"),
    ]
    assert ("b.html", "the other") in content.links


def test_pdf():
    """Every page's text, with its page and its line there."""
    content = read(".pdf", pdf(["A pipe carries bytes."], ["It has two ends,", "one to read from."]))
    assert [(p.page, p.line, p.text) for p in content.passages] == [
        (1, 1, "A pipe carries bytes."),
        (2, 1, "It has two ends,\none to read from."),
    ]
    assert content.title == "Notes"


PROGRAM = '''"""All on pipes.

They carry bytes.
"""
import os.path
from . import other

class Pipe:
    """A pipe."""

    def close(self):
        """\\
        It is closed.

        For good.
        """
'''


def test_program():
    """Docstrings under the names of what they document; its imports are its links; nothing is executed."""
    content = read(".py", PROGRAM)
    assert told(content) == [
        (1, "", "All on pipes."),
        (3, "", "They carry bytes."),
        (9, "Pipe", "A pipe."),
        (12, "Pipe.close", "It is closed."),
        (12, "Pipe.close", "For good."),  # an escape hides how the lines lie: the docstring's first
    ]
    assert [target for target, _ in content.links] == ["os.path", ".", ".other"]


@pytest.mark.parametrize(
    ("suffix", "data", "reason"),
    [
        (".txt", b"caf\xe9 au lait", "not UTF-8: byte 3 is 0xe9"),
        (".txt", b"a\0b", "binary"),
        (".md", b"", "no text in it"),
        (".html", b"<p></p>", "no text in it"),
        (".py", b"def f(:", "SyntaxError"),
        (".pdf", b"%PDF-1.4 broken", "Pdf"),
        (".pdf", b"", "EmptyFileError"),
        (".pdf", pdf(["A pipe."])[:300], "Error"),
    ],
)
def test_unreadable(suffix, data, reason):
    """What cannot be read is told with its reason, and raises nothing."""
    found = read(suffix, data)
    assert isinstance(found, Unreadable)
    assert reason in found.reason


def test_limits(monkeypatch):
    """Too many pages, too many paragraphs and a paragraph without end are refused."""
    from colony.experiments.research import formats

    monkeypatch.setattr(formats, "RESEARCH_PDF_PAGES_MAX", 1)
    assert "2 pages" in read(".pdf", pdf(["One."], ["Two."])).reason
    monkeypatch.setattr(formats, "RESEARCH_PASSAGES_MAX", 1)
    assert "more than 1 paragraphs" in read(".txt", "One.\n\nTwo.").reason
    assert "paragraph of more" in read(".txt", "a" * (limits.RESEARCH_PASSAGE_CHARACTERS_MAX + 1)).reason


def test_half_characters_do_not_get_through():
    """What no UTF-8 can carry is replaced, so that it can be shared and printed."""
    from colony.experiments.research.formats import _clean

    assert _clean("a\ud800b") == "a?b"


def test_line_ends_of_other_systems():
    """Carriage returns count as line ends, with or without line feeds."""
    assert told(read(".txt", "One.\r\n\r\nTwo.\r\rThree.")) == [(1, "", "One."), (3, "", "Two."), (5, "", "Three.")]
